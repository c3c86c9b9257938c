//! The list as sockets tell it: one frame per version, made once for all of them.

use std::{fmt, sync::Arc, time::Duration};

use app::{
    catalog::{ChannelId, Media},
    websocket::ServerEvent,
};
use tokio::{sync::watch, time::sleep};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::CancellationToken;

use crate::{catalog, tasks::Tasks};

/// How much of the feed one `videos` tells; the rest is at `/api/videos?offset=&limit=`.
const VIDEOS_MAX: usize = 500;

/// The least time between two lists. A change after a quiet moment is told at once.
const LIST_EVERY: Duration = Duration::from_secs(1);

/// One version of the list.
#[derive(Clone)]
pub struct VideoList {
    version: Arc<str>,
    frame: Utf8Bytes,
    knows: Arc<dyn Fn(&ChannelId) -> bool + Send + Sync>,
}

impl fmt::Debug for VideoList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VideoList").field("version", &self.version).finish_non_exhaustive()
    }
}

impl VideoList {
    /// Makes the frame of the first 500 of `media`, which is the whole feed in its order.
    pub fn new<'a>(
        version: &str,
        media: impl ExactSizeIterator<Item = &'a Media>,
        knows: impl Fn(&ChannelId) -> bool + Send + Sync + 'static,
    ) -> Self {
        let event = ServerEvent::Videos {
            total: u32::try_from(media.len()).unwrap_or(u32::MAX),
            videos: media.take(VIDEOS_MAX).cloned().collect(),
            version: version.to_owned(),
        };
        let frame = serde_json::to_string(&event).expect("media objects have string keys").into();
        Self { version: version.into(), frame, knows: Arc::new(knows) }
    }

    /// Names this state of the list.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether there is such a channel.
    pub fn knows(&self, channel: &ChannelId) -> bool {
        (self.knows)(channel)
    }

    pub(super) fn frame(&self) -> Utf8Bytes {
        self.frame.clone()
    }
}

/// What a list is made from.
pub trait Listed: Send + Sync + 'static {
    /// Changes when the list as people see it changes.
    fn version(&self) -> &str;

    /// The list.
    fn list(self: Arc<Self>) -> VideoList;
}

impl Listed for catalog::Snapshot {
    fn version(&self) -> &str {
        self.version()
    }

    fn list(self: Arc<Self>) -> VideoList {
        let knows = self.clone();
        let media = self.media().iter().map(AsRef::as_ref);
        VideoList::new(self.version(), media, move |channel| knows.get(channel).is_some())
    }
}

/// Follows the catalogue until `tasks` stop: a new list at once after a quiet second, else at most
/// one a second, and none where a snapshot has the version of the one before.
pub fn follow<S: Listed>(
    mut snapshots: watch::Receiver<Option<Arc<S>>>,
    tasks: impl Into<Tasks>,
) -> watch::Receiver<Option<VideoList>> {
    let (sender, receiver) = watch::channel(None);
    snapshots.mark_changed();
    let tasks = tasks.into();
    let owner = tasks.clone();
    tasks.spawn(async move {
        let mut life = owner.life("list_task_ended");
        while life.run(tell(&mut snapshots, &sender, owner.stop())).await {}
    });
    receiver
}

async fn tell<S: Listed>(
    snapshots: &mut watch::Receiver<Option<Arc<S>>>,
    sender: &watch::Sender<Option<VideoList>>,
    shutdown: &CancellationToken,
) {
    let mut told: Option<String> = None;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            changed = snapshots.changed() => if changed.is_err() { return },
        }
        let Some(snapshot) = snapshots.borrow_and_update().clone() else { continue };
        if told.as_deref() == Some(snapshot.version()) {
            continue;
        }
        told = Some(snapshot.version().to_owned());
        sender.send_replace(Some(snapshot.list()));
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = sleep(LIST_EVERY) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use tokio::{sync::watch, time::Instant};
    use tokio_util::sync::CancellationToken;

    use super::{Listed, VideoList, follow};

    struct Version(&'static str);

    impl Listed for Version {
        fn version(&self) -> &str {
            self.0
        }

        fn list(self: Arc<Self>) -> VideoList {
            VideoList::new(self.0, [].iter(), |_| false)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn lists_are_told_at_once_and_then_once_a_second() {
        let (sender, snapshots) = watch::channel(None);
        let mut lists = follow(snapshots, CancellationToken::new());
        let told = |lists: &mut watch::Receiver<Option<VideoList>>| {
            lists.borrow_and_update().as_ref().map(|list| list.version().to_owned())
        };
        let start = Instant::now();
        sender.send_replace(Some(Arc::new(Version("a"))));
        lists.changed().await.expect("a list");
        assert_eq!((told(&mut lists), start.elapsed()), (Some("a".into()), Duration::ZERO));
        for version in ["b", "c", "d"] {
            sender.send_replace(Some(Arc::new(Version(version))));
        }
        lists.changed().await.expect("a list");
        assert_eq!(told(&mut lists), Some("d".into()));
        assert!(start.elapsed() >= Duration::from_secs(1));
        sender.send_replace(Some(Arc::new(Version("d"))));
        let again = tokio::time::timeout(Duration::from_secs(5), lists.changed()).await;
        assert!(again.is_err(), "the same version was told twice");
    }
}
