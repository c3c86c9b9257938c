//! What every handler may ask for.

use std::{net::SocketAddr, sync::Arc};

use axum::extract::{ConnectInfo, FromRef};
use http::request::Parts;
use tokio_util::sync::CancellationToken;

use super::assets::Site;
use crate::{
    catalog::CatalogHandle,
    client_address::{self, Client},
    config::Config,
    data_dir::DataDir,
    metrics::Metrics,
    rum::RumHandle,
    sources::Sources,
    tasks::Tasks,
    websocket::WebsocketHandle,
};

/// The handles of all features; a cheap clone.
#[derive(Clone)]
pub struct AppState {
    /// What the operator set.
    pub config: Arc<Config>,
    /// The current list.
    pub catalog: CatalogHandle,
    /// Where its channels come from.
    pub sources: Sources,
    /// The sockets.
    pub websocket: WebsocketHandle,
    /// What is counted,
    pub metrics: Metrics,
    /// and how it is shown.
    pub rum: RumHandle,
    /// What the server keeps.
    pub data: DataDir,
    /// The built site.
    pub site: Arc<Site>,
    /// The first address of this server on the LAN, or `PUBLIC_URL`.
    pub join_url: Arc<str>,
    /// The origin that players are led to for media of the bucket, where they are.
    pub direct: Option<Arc<str>>,
    /// The tasks that live as long as the server.
    pub tasks: Tasks,
    /// Cancelled when the server is to stop.
    pub shutdown: CancellationToken,
}

impl AppState {
    /// The address that a phone can open: `PUBLIC_URL`, else the host that this page was asked for
    /// by, and where that leads only back to the asking machine, its first address on the LAN.
    pub fn join_address(&self, parts: &Parts) -> String {
        let base = self.base_url(parts);
        if leads_back(&base) { self.join_url.to_string() } else { base }
    }

    /// Whether that address leads to this machine from another one.
    pub fn is_open_to_others(&self, parts: &Parts) -> bool {
        !leads_back(&self.join_address(parts))
    }

    /// The folder of the channels, as one finds it on this machine: for whoever sits at it, and nobody
    /// else. What a proxy of the same machine passes on is somebody else's.
    pub fn folder_for(&self, parts: &Parts) -> Option<String> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>()?.0;
        let client =
            Client::of(&self.config.network.trusted_proxies, peer, &parts.headers, &parts.uri);
        let passed_on = ["x-forwarded-for", "forwarded", "via"];
        let is_direct = !passed_on.iter().any(|name| parts.headers.contains_key(*name));
        let folder = || std::path::absolute(&self.config.folders.streams).ok();
        let folder = (is_direct && client.address.is_loopback()).then(folder).flatten()?;
        Some(folder.display().to_string())
    }

    /// The beginning of absolute addresses, without a slash at the end.
    pub fn base_url(&self, parts: &Parts) -> String {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
        peer.and_then(|peer| {
            client_address::base_url(&self.config.network, peer, &parts.headers, &parts.uri)
        })
        .unwrap_or_else(|| self.join_url.to_string())
    }
}

/// Whether an address leads every machine back to itself.
fn leads_back(base: &str) -> bool {
    client_address::leads_back(base.split_once("://").map_or(base, |(_, host)| host))
}

impl FromRef<AppState> for CatalogHandle {
    fn from_ref(state: &AppState) -> Self {
        state.catalog.clone()
    }
}

impl FromRef<AppState> for Sources {
    fn from_ref(state: &AppState) -> Self {
        state.sources.clone()
    }
}

impl FromRef<AppState> for RumHandle {
    fn from_ref(state: &AppState) -> Self {
        state.rum.clone()
    }
}

impl FromRef<AppState> for WebsocketHandle {
    fn from_ref(state: &AppState) -> Self {
        state.websocket.clone()
    }
}
