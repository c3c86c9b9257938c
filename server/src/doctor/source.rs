//! A source judged once; nothing of it is kept.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Check;
use crate::{
    cache::{CachedStore, DiskCache},
    sources::report::Finding,
    storage::Store,
};

/// Lets `judge` look at a store. Nothing is kept of what it finds: not beside a running server, and not
/// for the next time.
pub(super) async fn judged<T>(
    store: impl Store + 'static,
    judge: impl AsyncFnOnce(CachedStore) -> T,
) -> T {
    let stop = CancellationToken::new();
    let told = judge(CachedStore::new(Arc::new(store), DiskCache::nowhere(), stop.clone())).await;
    stop.cancel();
    told
}

/// What is left out of the list of the source that `check` names.
pub(super) fn left_out(check: &str, findings: Vec<Finding>) -> impl Iterator<Item = Check> {
    findings.into_iter().map(move |finding| {
        let name = finding.shown();
        Check::fail(&format!("{check} {name}"), finding.message, finding.fix)
    })
}
