//! A source judged once, with a cache that goes when that is done.

use std::{path::Path, sync::Arc};

use tokio_util::sync::CancellationToken;

use super::Check;
use crate::{
    catalog::report::Finding,
    storage::{
        Store,
        edge::{Edge, Shelf},
    },
};

/// The most that is kept while it is judged.
const KEPT_MAX: u64 = 64 << 20;

/// Lets `judge` look at a store through a cache of its own: what is found here is nobody else's.
pub(super) async fn judged<T>(
    store: impl Store + 'static,
    judge: impl AsyncFnOnce(Edge) -> T,
) -> T {
    // Of a name that nobody can guess and lay a link at, for this user alone. Where no folder can be
    // made nothing is kept, and the source is judged all the same.
    let home = tempfile::Builder::new().prefix("carrete-doctor-").tempdir();
    let folder = home.as_ref().map_or(Path::new("/dev/null"), |home| home.path()).join("cache");
    let stop = CancellationToken::new();
    let edge = Edge::new(Arc::new(store), Shelf::new(&folder, KEPT_MAX), stop.clone());
    let told = judge(edge).await;
    stop.cancel();
    told
}

/// What is left out of the list of the source that `check` names.
pub(super) fn left_out(check: &str, findings: Vec<Finding>) -> impl Iterator<Item = Check> {
    findings.into_iter().map(move |finding| {
        let Finding { name, message, fix } = finding;
        Check::fail(&format!("{check} {name:?}"), message, fix)
    })
}
