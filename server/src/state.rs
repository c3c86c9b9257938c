//! What every handler may ask for.

use std::{net::SocketAddr, sync::Arc};

use axum::extract::{ConnectInfo, FromRef};
use http::request::Parts;
use tokio_util::sync::CancellationToken;

use crate::{
    catalog::CatalogHandle, config::Config, forwarded, live::LiveHandle, metrics::Metrics,
    pulse::PulseHandle, site::Site, tasks::Tasks,
};

/// The handles of all features; a cheap clone.
#[derive(Clone)]
pub struct AppState {
    /// What the operator set.
    pub config: Arc<Config>,
    /// The current list.
    pub catalog: CatalogHandle,
    /// The sockets.
    pub live: LiveHandle,
    /// What is counted,
    pub metrics: Metrics,
    /// and how it is shown.
    pub pulse: PulseHandle,
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
        let host = base.split_once("://").map_or(&*base, |(_, host)| host);
        if forwarded::leads_back(host) { self.join_url.to_string() } else { base }
    }

    /// The beginning of absolute addresses, without a slash at the end.
    pub fn base_url(&self, parts: &Parts) -> String {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
        peer.and_then(|peer| forwarded::base_url(&self.config, peer, &parts.headers, &parts.uri))
            .unwrap_or_else(|| self.join_url.to_string())
    }
}

impl FromRef<AppState> for CatalogHandle {
    fn from_ref(state: &AppState) -> Self {
        state.catalog.clone()
    }
}

impl FromRef<AppState> for PulseHandle {
    fn from_ref(state: &AppState) -> Self {
        state.pulse.clone()
    }
}

impl FromRef<AppState> for LiveHandle {
    fn from_ref(state: &AppState) -> Self {
        state.live.clone()
    }
}
