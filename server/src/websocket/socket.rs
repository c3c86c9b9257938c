//! One WebSocket on the wire: the handshake, frames of bounded size in both directions, the close.
//!
//! axum's own socket keeps a write buffer as large as the largest frame it ever sent, for each
//! client: ten thousand times the list. Here a long message leaves in fragments (RFC 6455 §5.4),
//! so that 15 kB a socket are enough; and what is left of a frame that was too large can be read
//! away, so that its sender sees why it was closed.

use std::{pin::pin, time::Duration};

use axum::{body::Body, extract::Request, response::Response};
use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{Instant, timeout, timeout_at},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message, Utf8Bytes,
        handshake::derive_accept_key,
        protocol::{
            CloseFrame, Role, WebSocketConfig,
            frame::{
                Frame,
                coding::{CloseCode, Data, OpCode},
            },
        },
    },
};

use crate::error::ApiError;

/// The largest frame and message that is read.
pub(super) const MESSAGE_MAX: usize = 16 * 1024;

/// What a socket reads at once, and the fragments that it writes.
const BUFFER: usize = 4 * 1024;

/// Bytes that wait for a client which does not read; the sender waits for space then.
const WRITE_BUFFER_MAX: usize = 4 * BUFFER;

/// How long an accepted client may take to change over.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a close may take, both ways.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// How much of a frame that was too large is read away so that its sender sees the close.
const DRAIN_MAX: usize = 16 * 1024 * 1024;

/// And for how long.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// A request that may become a socket.
pub(super) struct Handshake {
    accept: HeaderValue,
    upgrade: OnUpgrade,
}

impl Handshake {
    /// Reads the client's half (RFC 6455 §4.2.1).
    ///
    /// # Errors
    /// This is no request for a socket, or one whose key is none.
    pub(super) fn take(request: &mut Request) -> Result<Self, ApiError> {
        let headers = request.headers();
        let asks = request.method() == Method::GET
            && request.version() == Version::HTTP_11
            && lists(headers, header::CONNECTION, "upgrade")
            && lists(headers, header::UPGRADE, "websocket")
            && lists(headers, header::SEC_WEBSOCKET_VERSION, "13");
        if !asks {
            return Err(ApiError::UpgradeRequired);
        }
        let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
        let (Some(key), None) = (keys.next(), keys.next()) else {
            return Err(ApiError::BadSocketKey);
        };
        if !is_key(key.as_bytes()) {
            return Err(ApiError::BadSocketKey);
        }
        let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()));
        let accept = accept.map_err(|_| ApiError::BadSocketKey)?;
        let upgrade = request.extensions_mut().remove::<OnUpgrade>();
        Ok(Self { accept, upgrade: upgrade.ok_or(ApiError::UpgradeRequired)? })
    }

    /// The server's half, and the socket that opens when it has been sent.
    pub(super) fn accept(
        self,
    ) -> (Response, impl Future<Output = Option<Socket<TokioIo<Upgraded>>>> + Send) {
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = answer.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, self.accept);
        let opening = async {
            let upgraded = timeout(UPGRADE_TIMEOUT, self.upgrade).await.ok()?.ok()?;
            Some(Socket::new(TokioIo::new(upgraded)).await)
        };
        (answer, opening)
    }
}

/// Whether these are 16 bytes in base64.
fn is_key(text: &[u8]) -> bool {
    BASE64_STANDARD.decode(text).is_ok_and(|bytes| bytes.len() == 16)
}

/// Whether a comma-separated header has this word, in whatever case.
fn lists(headers: &HeaderMap, name: HeaderName, word: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|item| item.trim().eq_ignore_ascii_case(word))
}

/// What carries a socket: the upgraded connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// An open socket.
pub(super) struct Socket<S> {
    stream: WebSocketStream<S>,
}

/// What arrived.
#[derive(Debug)]
pub(super) enum Arrival {
    Text(Utf8Bytes),
    Binary,
    /// A ping or a pong: the client lives.
    Sign,
    /// The client closed, or the connection broke.
    End,
    /// More than [`MESSAGE_MAX`].
    TooLarge,
    /// Against the protocol.
    Broken,
    /// Text that is not UTF-8.
    NoText,
}

/// The client did not take what was sent.
#[derive(Debug)]
pub(super) struct Gone;

impl<S: Stream> Socket<S> {
    /// Over a connection on which the handshake is done.
    pub(super) async fn new(io: S) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER)
            .write_buffer_size(BUFFER)
            .max_write_buffer_size(WRITE_BUFFER_MAX)
            .max_message_size(Some(MESSAGE_MAX))
            .max_frame_size(Some(MESSAGE_MAX));
        Self { stream: WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await }
    }

    /// Waits for what comes next. Nothing is lost if the wait is dropped.
    pub(super) async fn next(&mut self) -> Arrival {
        match self.stream.next().await {
            Some(Ok(Message::Text(text))) => Arrival::Text(text),
            Some(Ok(Message::Binary(_))) => Arrival::Binary,
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Arrival::Sign,
            Some(Ok(Message::Close(_))) | None => Arrival::End,
            Some(Err(Error::Capacity(_))) => Arrival::TooLarge,
            Some(Err(Error::Utf8(_))) => Arrival::NoText,
            Some(Err(Error::Protocol(_))) => Arrival::Broken,
            Some(Err(_)) => Arrival::End,
        }
    }

    /// Takes a text for sending and waits while the client has not read what came before.
    pub(super) async fn feed(&mut self, text: Utf8Bytes) -> Result<(), Gone> {
        if text.len() <= BUFFER {
            return self.stream.feed(Message::Text(text)).await.map_err(|_| Gone);
        }
        let mut rest = Bytes::from(text);
        let mut opcode = OpCode::Data(Data::Text);
        while !rest.is_empty() {
            let part = rest.split_to(rest.len().min(BUFFER));
            let frame = Frame::message(part, opcode, rest.is_empty());
            self.stream.feed(Message::Frame(frame)).await.map_err(|_| Gone)?;
            opcode = OpCode::Data(Data::Continue);
        }
        Ok(())
    }

    /// Sends what was fed.
    pub(super) async fn flush(&mut self) -> Result<(), Gone> {
        self.stream.flush().await.map_err(|_| Gone)
    }

    /// Asks for a sign of life.
    pub(super) async fn ping(&mut self) -> Result<(), Gone> {
        self.stream.send(Message::Ping(Bytes::new())).await.map_err(|_| Gone)
    }

    /// Answers the client's close (RFC 6455 §5.5.1). The answer is in the queue since the close was
    /// read, with 1002 where its code may not be sent; it has to leave. Then the connection ends,
    /// which is the server's part (§7.1.1).
    pub(super) async fn finish(mut self) {
        let _ = timeout(CLOSE_TIMEOUT, async {
            if self.flush().await.is_ok() {
                let _ = self.stream.get_mut().shutdown().await;
            }
        })
        .await;
    }

    /// Closes and waits a moment for the client's answer.
    pub(super) async fn close(mut self, code: CloseCode, reason: &'static str) {
        let deadline = Instant::now() + CLOSE_TIMEOUT;
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        if !matches!(timeout_at(deadline, self.stream.close(Some(frame))).await, Ok(Ok(()))) {
            return;
        }
        match code {
            CloseCode::Size => return self.drain(Instant::now() + DRAIN_TIMEOUT).await,
            // Nothing that comes now can be read as frames.
            CloseCode::Protocol | CloseCode::Invalid => return self.drain(deadline).await,
            _ => {}
        }
        let mut arrivals = pin!(async { while let Some(Ok(_)) = self.stream.next().await {} });
        let _ = timeout_at(deadline, &mut arrivals).await;
    }

    /// Reads away what is left: closing with bytes unread would reset the connection, and the reset
    /// may overtake the close.
    async fn drain(&mut self, deadline: Instant) {
        let raw = self.stream.get_mut();
        let mut left = DRAIN_MAX;
        let mut bytes = vec![0; BUFFER];
        let _ = timeout_at(deadline, async {
            let _ = raw.shutdown().await;
            while let Ok(read @ 1..) = raw.read(&mut bytes).await {
                left = left.saturating_sub(read);
                if left == 0 {
                    return;
                }
            }
        })
        .await;
    }
}
