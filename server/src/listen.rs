//! Connections: accepted, limited in time and size, and drained when the server stops.

use std::{io, net::SocketAddr, pin::pin, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::{Request, body::Incoming};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// A request's head must be here after this time; a connection without one is closed.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
/// A client that takes nothing for so long is cut off.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// A client that says nothing for so long is cut off; sockets are pinged more often.
const READ_TIMEOUT: Duration = Duration::from_secs(90);
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
    let loops = listeners
        .into_iter()
        .map(|listener| tokio::spawn(serve_one(router.clone(), listener, shutdown.clone())));
    for task in loops.collect::<Vec<_>>() {
        task.await.map_err(io::Error::other)?;
    }
    Ok(())
}

async fn serve_one(router: Router, listener: TcpListener, shutdown: CancellationToken) {
    let graceful = GracefulShutdown::new();
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_MAX_BYTES)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD_TIMEOUT)
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
            Ok((stream, peer)) => accept(&router, &builder, &graceful, stream, peer),
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
    stream: TcpStream,
    peer: SocketAddr,
) {
    // Small answers go out at once.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIMEOUT));
    stream.set_read_timeout(Some(READ_TIMEOUT));
    let router = router.clone();
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
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
