//! The WebSocket endpoint: who may open a socket, how many there are, and how they end. What is
//! said over one lives in `live/session.rs`, who hears it in `chat`.

mod error;
mod limits;
mod list;
mod session;
mod socket;

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    extract::{ConnectInfo, Request, State},
    response::{IntoResponse, Response},
};
use http::header;
use tokio::{sync::watch, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    chat::{ChatHub, ChatRates, Totals},
    client_address::{Client, Origins},
    config::{ChatSettings, Cidr, List, NetworkSettings},
    error::ApiError,
    tasks::Tasks,
};

pub use limits::Limits;
pub use list::{Listed, VideoList, follow};

/// How long all sockets together may take to close when the server stops.
const CLOSE_ALL: Duration = Duration::from_secs(1);

/// The endpoint. A cheap clone.
#[derive(Clone)]
pub struct WebsocketHandle(Arc<Inner>);

struct Inner {
    trusted_proxies: List<Cidr>,
    origins: Origins,
    limits: limits::Gate,
    hub: ChatHub,
    list: watch::Receiver<Option<VideoList>>,
    shutdown: CancellationToken,
    sessions: TaskTracker,
}

impl fmt::Debug for WebsocketHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebsocketHandle")
            .field("open", &self.open_sockets())
            .finish_non_exhaustive()
    }
}

impl WebsocketHandle {
    /// Starts chat and endpoint. When `tasks` stop, every socket is closed with 1001.
    pub fn start(
        network: &NetworkSettings,
        chat: &ChatSettings,
        list: watch::Receiver<Option<VideoList>>,
        tasks: impl Into<Tasks>,
    ) -> Self {
        Self::with_limits(network, chat, list, Limits::default(), tasks)
    }

    /// As [`WebsocketHandle::start`], with other limits than the usual ones.
    pub fn with_limits(
        network: &NetworkSettings,
        chat: &ChatSettings,
        list: watch::Receiver<Option<VideoList>>,
        limits: Limits,
        tasks: impl Into<Tasks>,
    ) -> Self {
        let tasks = tasks.into();
        let shutdown = tasks.stop().clone();
        let rates = ChatRates { person: chat.rate, address: chat.rate_address };
        Self(Arc::new(Inner {
            origins: Origins::of(network),
            trusted_proxies: network.trusted_proxies.clone(),
            limits: limits::Gate::new(limits),
            hub: ChatHub::start(rates, tasks),
            list,
            shutdown,
            sessions: TaskTracker::new(),
        }))
    }

    /// How many sockets are open.
    pub fn open_sockets(&self) -> usize {
        self.0.sessions.len()
    }

    /// Waits, once the server stops, until every socket is closed; at most a second.
    pub async fn closed(&self) {
        self.0.sessions.close();
        if timeout(CLOSE_ALL, self.0.sessions.wait()).await.is_err() {
            tracing::info!(open = self.open_sockets(), "some sockets did not close in time");
        }
    }

    /// Sums of the chat since the start.
    pub fn totals(&self) -> Totals {
        self.0.hub.totals()
    }
}

/// `GET /ws`. The request needs `ConnectInfo`; `?version=` is the list that the page came with.
pub async fn upgrade(
    State(live): State<WebsocketHandle>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
) -> Response {
    let handshake = match socket::Handshake::take(&mut request) {
        Ok(handshake) => handshake,
        Err(ApiError::UpgradeRequired) => {
            let how = [(header::UPGRADE, "websocket"), (header::SEC_WEBSOCKET_VERSION, "13")];
            return (how, ApiError::UpgradeRequired).into_response();
        }
        Err(error) => return error.into_response(),
    };
    if !live.0.origins.admit(request.headers(), request.uri(), peer) {
        return ApiError::ForeignOrigin.into_response();
    }
    let stopping = live.0.shutdown.is_cancelled();
    let address =
        Client::of(&live.0.trusted_proxies, peer, request.headers(), request.uri()).address;
    let Some(place) = live.0.limits.enter(address).filter(|_| !stopping) else {
        return ([(header::RETRY_AFTER, "1")], ApiError::TooManySockets).into_response();
    };
    let version = request.uri().query().and_then(version_of);

    let (answer, opening) = handshake.accept();
    let inner = live.0.clone();
    live.0.sessions.spawn(async move {
        let Some(socket) = opening.await else { return };
        let member = inner.hub.enter(address);
        let (list, shutdown) = (inner.list.clone(), inner.shutdown.clone());
        drop(inner);
        session::run(socket, member, list, version, shutdown).await;
        drop(place);
    });
    answer
}

fn version_of(query: &str) -> Option<String> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("version="))?;
    percent_encoding::percent_decode_str(value).decode_utf8().ok().map(Into::into)
}
