//! A store that nobody asks: with the cache before it, what is kept of the one that it stands for.

use std::{ops::Range, sync::Arc};

use futures_util::FutureExt;

use crate::storage::{Answer, Content, Object, Store, StoreError, local::FileVersion};

/// Stands for a store, and answers at once that it is away.
#[derive(Debug)]
pub(super) struct OfflineStore(pub(super) Arc<dyn Store>);

impl Store for OfflineStore {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn label(&self) -> String {
        self.0.label()
    }

    fn identity(&self) -> String {
        self.0.identity()
    }

    fn list(&self) -> Answer<'_, Vec<Object>> {
        async { Err(StoreError::Behind) }.boxed()
    }

    fn read(&self, _: &str, _: FileVersion, _: Range<u64>) -> Answer<'_, Content> {
        async { Err(StoreError::Behind) }.boxed()
    }
}
