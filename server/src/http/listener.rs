//! Connections: accepted, bounded in number, time and size, and drained when the server stops.

mod connections;
mod timed;

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, time::Duration};

use axum::{
    Router,
    body::HttpBody,
    extract::ConnectInfo,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use hyper::{Request, body::Incoming, server::conn::http1};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use self::{
    connections::{Bounds, Connections, Place},
    timed::{Pace, TimedStream},
};
use crate::{
    config::NetworkSettings, delivery::sendfile::SendfileStream, error::ApiError, tasks::Tasks,
};

/// How long a client may take before it is cut off.
#[derive(Clone, Copy, Debug)]
struct Timeouts {
    /// Until a request's head is here, from the connection or the answer before on.
    head: Duration,
    /// While it is answered.
    pace: Pace,
}

/// How connections are answered.
#[derive(Clone)]
struct Service {
    router: Router,
    /// Files go to their sockets by the kernel.
    sendfile: bool,
    timeouts: Timeouts,
}

/// A kilobyte a second is a twentieth of the slowest music. Buffers on the way empty in steps, of up
/// to 200 kB: who takes two kilobytes a second moves each of them within the time that one who is gone
/// is waited for.
const TIMEOUTS: Timeouts = Timeouts {
    head: Duration::from_secs(20),
    pace: Pace { idle: Duration::from_secs(120), window: Duration::from_secs(60), least: 64 << 10 },
};
/// Bytes that wait in the kernel to be sent. With more a slow client would seem to stand still for
/// minutes while they leave.
const UNSENT_BYTES: u32 = 128 << 10;
/// Bytes of a request's head.
const HEAD_MAX_BYTES: usize = 32 * 1024;
/// After the signal new connections are answered for so long, so that health can say "stopping".
const LINGER: Duration = Duration::from_millis(300);
/// Then open requests have so long to end.
const DRAIN: Duration = Duration::from_secs(7);
/// Pause after a failed accept (no file descriptors left), so that it does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// That connections are refused is logged so often.
const SAID_EVERY: Duration = Duration::from_secs(60);

/// Serves `router` on every listener until `tasks` stop, then drains. Files go to their sockets by the
/// kernel, unless `network` says otherwise. As many connections as the limit
/// of open files has room for, which is raised as far as it goes; each address has its share of them,
/// but for the trusted proxies, which speak for many.
pub(crate) async fn serve(
    router: Router,
    listeners: Vec<TcpListener>,
    network: &NetworkSettings,
    tasks: Tasks,
) -> io::Result<()> {
    connections::raise_descriptors();
    let connections = Connections::new(Bounds::of_process(), network.trusted_proxies.clone());
    let sendfile = network.sendfile.0;
    let loops = listeners.into_iter().map(|listener| {
        let connections = connections.clone();
        let service = Service { router: router.clone(), sendfile, timeouts: TIMEOUTS };
        tokio::spawn(serve_one(service, listener, connections, tasks.clone()))
    });
    for task in loops.collect::<Vec<_>>() {
        task.await.map_err(io::Error::other)?;
    }
    Ok(())
}

async fn serve_one(
    service: Service,
    listener: TcpListener,
    connections: Connections,
    tasks: Tasks,
) {
    let (open, drain) = (TaskTracker::new(), CancellationToken::new());
    let mut life = tasks.life("listener_task_ended");
    let serving = (&service, (&open, &drain));
    while life.run(accept_all(&listener, &connections, serving, tasks.stop())).await {}
    drop(listener);
    drain.cancel();
    open.close();
    if tokio::time::timeout(DRAIN, open.wait()).await.is_err() {
        tracing::info!("open requests were cut off");
    }
}

/// Accepts until a moment after `shutdown`.
async fn accept_all(
    listener: &TcpListener,
    connections: &Connections,
    (service, (open, drain)): (&Service, (&TaskTracker, &CancellationToken)),
    shutdown: &CancellationToken,
) {
    // Browsers speak HTTP/2 over TLS alone, which a proxy in front of this ends.
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(service.timeouts.head)
        .max_buf_size(HEAD_MAX_BYTES);
    let mut stop = pin!(async {
        shutdown.cancelled().await;
        tokio::time::sleep(LINGER).await;
    });
    let mut said = None;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => return,
        };
        match accepted {
            Ok((stream, peer)) => match connections.enter(peer) {
                Some(place) => {
                    let (service, builder) = (service.clone(), builder.clone());
                    let who = (stream, peer, place);
                    open.spawn(answer(service, builder, who, drain.clone()));
                }
                None => {
                    refuse(&stream);
                    say(&mut said, "too many connections are open");
                }
            },
            Err(error) => {
                // Whoever asks for nothing gives way to those who wait.
                connections.make_room();
                say(&mut said, &error.kind().to_string());
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// A line in the log, if there was none for a while.
fn say(said: &mut Option<Instant>, why: &str) {
    if said.is_none_or(|said| said.elapsed() >= SAID_EVERY) {
        tracing::warn!("Connections are refused: {why}.");
        *said = Some(Instant::now());
    }
}

/// Answers what is asked over one connection, until it ends or gives way; with `drain` it ends with
/// the answer that is under way.
async fn answer(
    Service { router, sendfile, timeouts }: Service,
    builder: http1::Builder,
    (stream, peer, place): (TcpStream, SocketAddr, Place),
    drain: CancellationToken,
) {
    // Small answers go out at once. Where one of these is not known it is done without.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT_BYTES);
    let stream = SendfileStream::new(stream);
    let queue = sendfile.then(|| stream.queue());
    let sitter = place.sitter();
    let stream = TimedStream::new(stream, timeouts.pace, SendfileStream::give_up, place);
    let asked = sitter.clone();
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        if let Some(queue) = &queue {
            request.extensions_mut().insert(queue.clone());
        }
        let (busy, answer) = (asked.busy(), router.clone().oneshot(request));
        async move {
            let response: Response = answer.await?;
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                busy.for_ever();
                return Ok(response);
            }
            let response = match response.body().is_end_stream() || busy.may_send() {
                true => response,
                false => later(),
            };
            Ok::<_, Infallible>(response.map(|body| busy.until_taken(body)))
        }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = sitter.gives_way() => return,
        () = drain.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Says "later" to who takes too many answers at once.
fn later() -> Response {
    let mut response = ApiError::TooManySockets.into_response();
    let nosniff = HeaderValue::from_static("nosniff");
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}

/// Says "later" to who is not let in, as far as that can be said without waiting.
fn refuse(stream: &TcpStream) {
    let error = ApiError::TooManySockets;
    let ((status, _), body) = (error.status_and_code(), error.body().to_string());
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncache-control: no-cache\r\n\
         x-content-type-options: nosniff\r\nretry-after: 2\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.try_write(answer.as_bytes());
    // Closing with a request unread would take the answer back.
    let _ = stream.try_read(&mut [0; 4096]);
}

#[cfg(test)]
mod tests;
