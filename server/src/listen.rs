//! Connections: accepted, limited in time and size, and drained when the server stops.

use std::{io, net::SocketAddr, pin::pin, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::{Request, Version, body::Incoming};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::storage::lane::LaneStream;

/// How long a client may take before it is cut off.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// Until a request's head is here.
    head: Duration,
    /// While it takes nothing of what is sent.
    write: Duration,
    /// While it says nothing; sockets are pinged more often.
    read: Duration,
}

const PATIENCE: Patience = Patience {
    head: Duration::from_secs(20),
    write: Duration::from_secs(30),
    read: Duration::from_secs(90),
};
/// Bytes of a request's head.
const HEAD_MAX_BYTES: usize = 32 * 1024;
/// After the signal new connections are answered for so long, so that health can say "stopping".
const LINGER: Duration = Duration::from_millis(300);
/// Then open requests have so long to end.
const DRAIN: Duration = Duration::from_secs(7);
/// Pause after a failed accept (no file descriptors left), so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves `router` on every listener until `shutdown`, then drains.
pub(crate) async fn serve(
    router: Router,
    listeners: Vec<TcpListener>,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let loops = listeners.into_iter().map(|listener| {
        tokio::spawn(serve_one(router.clone(), listener, PATIENCE, shutdown.clone()))
    });
    for task in loops.collect::<Vec<_>>() {
        task.await.map_err(io::Error::other)?;
    }
    Ok(())
}

async fn serve_one(
    router: Router,
    listener: TcpListener,
    patience: Patience,
    shutdown: CancellationToken,
) {
    let graceful = GracefulShutdown::new();
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_buf_size(HEAD_MAX_BYTES)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(patience.head)
        .max_header_list_size(HEAD_MAX_BYTES as u32);
    let mut stop = pin!(async {
        shutdown.cancelled().await;
        tokio::time::sleep(LINGER).await;
    });
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => accept(&router, &builder, &graceful, patience, stream, peer),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::info!("open requests were cut off");
    }
}

fn accept(
    router: &Router,
    builder: &auto::Builder<TokioExecutor>,
    graceful: &GracefulShutdown,
    patience: Patience,
    stream: TcpStream,
    peer: SocketAddr,
) {
    // Small answers go out at once.
    let _ = stream.set_nodelay(true);
    let stream = LaneStream::new(stream);
    let lane = stream.lane();
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(patience.write));
    stream.set_read_timeout(Some(patience.read));
    let router = router.clone();
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        // In HTTP/2 the answers of a connection go out mixed.
        if request.version() <= Version::HTTP_11 {
            request.extensions_mut().insert(lane.clone());
        }
        router.clone().oneshot(request)
    });
    let connection = builder
        .serve_connection_with_upgrades(TokioIo::new(Box::pin(stream)), service)
        .into_owned();
    let watched = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = watched.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, time::Duration};

    use axum::{Router, body::Body, routing::get};
    use bytes::Bytes;
    use futures_util::{StreamExt, stream};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
        time::timeout,
    };
    use tokio_util::sync::CancellationToken;

    use super::{Patience, serve_one};

    /// Longer than any patience of these tests.
    const ENOUGH: Duration = Duration::from_secs(10);
    const SHORT: Duration = Duration::from_millis(300);

    async fn connect(patience: Patience) -> TcpStream {
        static CHUNK: [u8; 64 * 1024] = [0; 64 * 1024];
        let endless = || async {
            let chunks = stream::repeat(Bytes::from_static(&CHUNK));
            Body::from_stream(chunks.map(Ok::<_, Infallible>))
        };
        let router = Router::new().route("/", get(endless));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve_one(router, listener, patience, CancellationToken::new()));
        TcpStream::connect(address).await.unwrap()
    }

    #[tokio::test]
    async fn who_never_ends_the_head_is_cut_off() {
        let mut client = connect(Patience { head: SHORT, write: ENOUGH, read: ENOUGH }).await;
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap();
        let mut rest = Vec::new();
        timeout(ENOUGH, client.read_to_end(&mut rest)).await.expect("cut off").ok();
        assert!(!rest.starts_with(b"HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn who_takes_nothing_is_cut_off() {
        let mut client = connect(Patience { head: ENOUGH, write: SHORT, read: ENOUGH }).await;
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        // The server fills every buffer on the way, waits, and gives up.
        tokio::time::sleep(SHORT * 4).await;
        let mut taken = vec![0; 1 << 20];
        let drained =
            timeout(ENOUGH, async { while client.read(&mut taken).await.is_ok_and(|n| n > 0) {} });
        drained.await.expect("cut off");
    }
}
