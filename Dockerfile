# Carrete in a container: built in stages that are thrown away, run by user 10001 on Debian with ffmpeg.
# No tool and no version is named here: tools/install.sh knows them all (`make check` sees to it).

# What the tools depend on, and nothing more of the lock file, so that a new crate does not compile them again.
FROM debian:bookworm-slim AS pins
COPY Cargo.lock rust-toolchain.toml /pins/
COPY tools/install.sh tools/env.sh /pins/tools/
RUN grep -A 1 '^name = "wasm-bindgen"$' /pins/Cargo.lock > /pins/bindgen && mv /pins/bindgen /pins/Cargo.lock

FROM rust:1.95.0-slim-bookworm AS builder
RUN apt-get update \
 && apt-get install -y --no-install-recommends nodejs npm \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY --from=pins /pins/ ./
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    tools/install.sh build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    tools/build.sh \
 && mkdir /out \
 && cp -r target/release/carrete target/release/hash.txt target/site /out/

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates ffmpeg \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o 10001 -g 10001 /app/streams /app/data \
 && ln -s /app/carrete /usr/local/bin/carrete
WORKDIR /app
# The program belongs to root and cannot change itself; an empty volume on streams is filled with the demo channels.
COPY --from=builder /out/ /app/
COPY --chown=10001:10001 streams/ /app/streams/
ENV HOST=0.0.0.0 PORT=8080 STREAMS_DIR=/app/streams DATA_DIR=/app/data LEPTOS_SITE_ROOT=/app/site
USER 10001:10001
VOLUME ["/app/streams", "/app/data"]
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["/app/carrete", "health"]
ENTRYPOINT ["/app/carrete"]
CMD ["serve"]
