//! The current list of channels as one immutable snapshot, and the handle that everybody reads it
//! through. What fills it lives below `catalog/`.

use std::sync::Arc;

use app::catalog::{Anchor, Catalog, ChannelId, Media, Window};
use tokio::sync::watch;

/// One state of the list. Cheap to share, never changed.
#[derive(Debug, Default)]
pub struct Snapshot {
    media: Vec<Arc<Media>>,
    version: String,
}

impl Snapshot {
    /// All media objects in feed order.
    pub fn media(&self) -> &[Arc<Media>] {
        &self.media
    }

    /// Changes when the list as people see it changes, and not because a live playlist grew.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// One media object.
    pub fn get(&self, id: &ChannelId) -> Option<&Arc<Media>> {
        self.media.iter().find(|media| media.id == *id)
    }
}

/// Reads the current snapshot; a cheap clone.
#[derive(Clone, Debug)]
pub struct CatalogHandle {
    current: watch::Receiver<Option<Arc<Snapshot>>>,
}

impl CatalogHandle {
    /// The current snapshot; `None` until the first scan is done.
    pub fn current(&self) -> Option<Arc<Snapshot>> {
        self.current.borrow().clone()
    }

    /// Wakes at each new snapshot.
    pub fn subscribe(&self) -> watch::Receiver<Option<Arc<Snapshot>>> {
        self.current.clone()
    }
}

impl Catalog for CatalogHandle {
    fn window(&self, _anchor: &Anchor, _before: u32, _after: u32) -> Option<Window> {
        None
    }
}
