//! An object of a bucket, before anybody has asked for its bytes.

use std::ops::Range;

use futures_util::{FutureExt, future::BoxFuture};

use crate::{
    cache::{CachedStore, Opened, Purpose},
    sources::resource::{Caching, Content, FileResource, SourceError},
    storage::{Asked, Direct, local::FileVersion},
};

/// One object in one state.
pub(super) struct BucketObject {
    pub(super) edge: CachedStore,
    pub(super) key: String,
    pub(super) stamp: FileVersion,
    /// It is what the bucket has now: players may be led there.
    pub(super) redirects: bool,
    /// As which type another state of it is sent while the bucket is away.
    pub(super) fallback: Option<&'static str>,
    /// What is played after it.
    pub(super) next: Option<(String, FileVersion)>,
}

impl Content for BucketObject {
    fn open(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Opened, SourceError>> {
        async move { Ok(self.edge.open_for(Purpose::Cache, &self.key, self.stamp, range).await?) }
            .boxed()
    }

    fn redirect(&self, media_type: &'static str, asked: Asked) -> BoxFuture<'_, Option<Direct>> {
        async move {
            if !self.redirects {
                return None;
            }
            self.edge.direct(&self.key, media_type, asked).await
        }
        .boxed()
    }

    fn instead(
        &self,
        error: SourceError,
    ) -> BoxFuture<'_, Result<Option<FileResource>, SourceError>> {
        let kept = self.fallback.filter(|_| error == SourceError::Away).and_then(|media_type| {
            let stamp = self.edge.kept_any(&self.key)?;
            let content = Self {
                edge: self.edge.clone(),
                key: self.key.clone(),
                stamp,
                redirects: false,
                fallback: None,
                next: None,
            };
            let (caching, content) = (Caching::Revalidate, Box::new(content));
            Some(FileResource { media_type, stamp, caching, content })
        });
        std::future::ready(Ok(kept)).boxed()
    }

    fn prefetch_next(&self) {
        if let Some((key, stamp)) = &self.next {
            self.edge.fetch_ahead(key, *stamp);
        }
    }
}
