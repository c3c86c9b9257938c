//! What every handler may ask for.

use std::sync::Arc;

use axum::extract::FromRef;
use tokio_util::sync::CancellationToken;

use crate::{catalog::CatalogHandle, config::Config, live::LiveHandle, site::Site};

/// The handles of all features; a cheap clone.
#[derive(Clone)]
pub struct AppState {
    /// What the operator set.
    pub config: Arc<Config>,
    /// The current list.
    pub catalog: CatalogHandle,
    /// The sockets.
    pub live: LiveHandle,
    /// The built site.
    pub site: Arc<Site>,
    /// The first address of this server on the LAN, or `PUBLIC_URL`.
    pub join_url: Arc<str>,
    /// Cancelled when the server is to stop.
    pub shutdown: CancellationToken,
}

impl FromRef<AppState> for CatalogHandle {
    fn from_ref(state: &AppState) -> Self {
        state.catalog.clone()
    }
}

impl FromRef<AppState> for LiveHandle {
    fn from_ref(state: &AppState) -> Self {
        state.live.clone()
    }
}
