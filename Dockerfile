# Carrete in a container: built in stages that are thrown away, run by user 10001 on Debian with ffmpeg.

# The versions of the two tools alone, so that any other change of these files does not install them again.
FROM debian:bookworm-slim AS versions
COPY Cargo.lock tools/env.sh /
RUN mkdir /versions \
 && sed -n 's/^CARGO_LEPTOS=//p' /env.sh > /versions/cargo-leptos \
 && awk -F'"' '/^name = "wasm-bindgen"$/ { getline; print $2; exit }' /Cargo.lock > /versions/wasm-bindgen

FROM rust:1.95.0-slim-bookworm AS builder
RUN apt-get update \
 && apt-get install -y --no-install-recommends binaryen make nodejs perl pkg-config \
 && rm -rf /var/lib/apt/lists/* \
 && rustup target add wasm32-unknown-unknown
COPY --from=versions /versions /versions
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
 && cargo install cargo-leptos --locked --version "$(cat /versions/cargo-leptos)" \
 && cargo install wasm-bindgen-cli --locked --version "$(cat /versions/wasm-bindgen)"
WORKDIR /src
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
