//! The task that puts the list together, out of what each source has and of what was made for it, and
//! shows it.

use std::{ffi::OsString, sync::Arc};

use tokio::{sync::watch, task::spawn_blocking};
use tokio_util::sync::CancellationToken;

use super::{
    artifacts::ArtifactIndex, name::shown, problem::Problem, snapshot::Snapshot,
    source_list::SourceLists,
};

/// Runs until `stop`. Shows nothing before the first of the sources has said what it has.
pub(crate) async fn run(
    lists: &mut watch::Receiver<SourceLists>,
    made: &ArtifactIndex,
    publish: &watch::Sender<Option<Arc<Snapshot>>>,
    stop: &CancellationToken,
) {
    // What was logged of clashes, to log it once.
    let mut told: Vec<(OsString, Problem)> = Vec::new();
    loop {
        let all = lists.borrow_and_update().clone();
        if all.first().is_some_and(|first| first.heard) {
            let (made, before) = (made.clone(), publish.borrow().clone());
            let assemble = move || {
                let before = before.unwrap_or_default();
                Snapshot::assemble(&all, &made, &before)
            };
            let Ok((snapshot, clashes)) = spawn_blocking(assemble).await else { return };
            for (name, reason) in clashes.iter().filter(|clash| !told.contains(clash)) {
                tracing::warn!("{} is left out: {reason}.", shown(name));
            }
            told = clashes;
            announce(publish, snapshot);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = made.told() => {}
            changed = lists.changed() => if changed.is_err() { return },
        }
    }
}

/// While only a live playlist grows the snapshot is replaced in silence.
fn announce(publish: &watch::Sender<Option<Arc<Snapshot>>>, snapshot: Snapshot) {
    publish.send_if_modified(|current| {
        let grew = current.as_ref().is_some_and(|current| {
            current.same_list(&snapshot) && current.is_partial() == snapshot.is_partial()
        });
        *current = Some(Arc::new(snapshot));
        !grew
    });
}
