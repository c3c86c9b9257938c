//! When a source is looked at: again and again, and before its time where somebody doubts what is
//! known of it.

use std::{ffi::OsString, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{SHOWN_EVERY, Stock};

/// A source is looked at once a year at least: what lies further ahead is no time that can be told.
const PAUSE_MAX: Duration = Duration::from_secs(366 * 24 * 3600);

/// Why a source is looked at before its time.
#[derive(Debug)]
pub(in crate::catalog) enum Doubt {
    /// Something of it was not as it was listed.
    All,
    /// Somebody watches this live channel.
    Live(OsString),
}

/// Keeps what is known of one source up to date.
pub(in crate::catalog) trait Looking: Send + 'static {
    /// Looks at it; answers when to do so again.
    fn look(&mut self) -> impl Future<Output = Duration> + Send;

    /// Looks at a live channel, if its playlist may have grown; one that is read when it is asked for
    /// needs no look.
    fn look_at_live(&mut self, _name: OsString) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// What it has, as far as it is known.
    fn into_stock(self) -> Stock;
}

/// Looks at one source until `shutdown`, and at once when somebody doubts what is known of it.
pub(in crate::catalog) async fn run(
    mut keeper: impl Looking,
    doubts: &mut mpsc::Receiver<Doubt>,
    shutdown: CancellationToken,
) {
    let work = async {
        loop {
            let pause = keeper.look().await.min(PAUSE_MAX);
            let due = Instant::now() + pause;
            while let Ok(doubt) = timeout_at(due, doubts.recv()).await {
                match doubt {
                    Some(Doubt::All) => {}
                    Some(Doubt::Live(name)) => {
                        keeper.look_at_live(name).await;
                        continue;
                    }
                    // Nobody is left to doubt anything.
                    None => sleep_until(due).await,
                }
                // Whatever else is doubted meanwhile is answered by the same look.
                sleep(SHOWN_EVERY).await;
                while doubts.try_recv().is_ok() {}
                break;
            }
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = work => {}
    }
}

/// One look at a source, for who asks once.
pub(in crate::catalog) async fn look_once(mut keeper: impl Looking) -> Stock {
    keeper.look().await;
    keeper.into_stock()
}
