//! A channel on another server: its playlists are read when somebody asks for them, and tell what
//! else there is. Nothing that no playlist names is asked of that server.

mod names;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{sync::watch, time::timeout};

pub(crate) use self::names::{File, Loaded, Named};
use super::facts::{PLAYLIST, ServedPlaylist};
use crate::storage::{StoreError, edge::Edge};

/// How long somebody who asks for a playlist that is not known waits for it.
const PATIENCE: Duration = Duration::from_millis(1800);
/// A playlist that nobody has asked for in so long is forgotten: a long film's names take room.
const IDLE: Duration = Duration::from_secs(300);
/// More playlists than this in one channel are a mistake.
const MAX_CHILDREN: usize = 64;

/// A channel on another server.
#[derive(Debug)]
pub(crate) struct Distant {
    pub(crate) edge: Edge,
    /// Where its playlist, or the bare file, lies.
    pub(crate) address: String,
    pub(crate) bare: bool,
    /// What lies beside it, by our name: poster, waveform, subtitles.
    pub(crate) beside: HashMap<String, String>,
    /// Of its poster.
    pub(crate) thumbhash: Option<String>,
    lists: Arc<Mutex<HashMap<String, Arc<List>>>>,
}

/// One playlist over time.
#[derive(Debug)]
struct List {
    address: String,
    path: String,
    /// Somebody asks for it.
    busy: AtomicBool,
    used: Mutex<Instant>,
    now: watch::Sender<Now>,
}

#[derive(Clone, Debug, Default)]
struct Now {
    /// As it was read last, and when that was known to be so.
    loaded: Option<(Arc<Loaded>, Instant)>,
    /// Why that failed the last time.
    error: Option<StoreError>,
    /// Counts the times that it was asked for.
    round: u64,
}

impl Distant {
    /// A channel at `address`. What `before` has read of the same is kept.
    pub(crate) fn new(edge: Edge, address: String, bare: bool, before: Option<&Self>) -> Self {
        let before = before.filter(|before| before.address == address);
        let lists = before.map(|before| before.lists.clone()).unwrap_or_default();
        Self { edge, address, bare, beside: HashMap::new(), thumbhash: None, lists }
    }

    /// The channel's own playlist.
    pub(crate) async fn main(&self) -> Result<Arc<Loaded>, StoreError> {
        self.load(self.list(PLAYLIST, &self.address)).await
    }

    /// The playlists that a master names, in its order.
    pub(crate) async fn children(&self, main: &Loaded) -> Vec<Arc<Loaded>> {
        let mut children = Vec::new();
        for (path, address) in main.children().take(MAX_CHILDREN) {
            if let Ok(loaded) = self.load(self.list(path, address)).await {
                children.push(loaded);
            }
        }
        children
    }

    /// Whether its playlist has been read, and then what it says.
    pub(crate) fn known(&self) -> Option<Arc<Loaded>> {
        let list = self.lists().get(PLAYLIST)?.clone();
        let now = list.now.borrow();
        now.loaded.as_ref().map(|(loaded, _)| loaded.clone())
    }

    /// What is served at `path` inside the channel's folder, and behind a question mark `query`.
    /// `None` where no playlist names it.
    pub(crate) async fn find(
        &self,
        path: &str,
        query: Option<&str>,
    ) -> Result<Option<Named>, StoreError> {
        if let Some(address) = self.beside.get(path) {
            return Ok(Some(Named::File(File::beside(address))));
        }
        if self.bare {
            return Ok(path.is_empty().then(|| Named::File(File::beside(&self.address))));
        }
        if path == PLAYLIST {
            return Ok(Some(Named::Playlist(self.address.clone())));
        }
        if let Some(named) = self.named(path, query) {
            return Ok(Some(named));
        }
        // After a restart somebody may go on where he was before anybody has read the playlists.
        let main = self.main().await?;
        if main.playlist.master {
            self.children(&main).await;
        }
        Ok(self.named(path, query))
    }

    /// The playlist at `path`, as it is served.
    pub(crate) async fn playlist(
        &self,
        path: &str,
        address: &str,
    ) -> Result<ServedPlaylist, StoreError> {
        self.load(self.list(path, address)).await.map(|loaded| loaded.served.clone())
    }

    /// Forgets what nobody has asked for in a while.
    pub(crate) fn rest(&self) {
        self.lists().retain(|_, list| list.idle() < IDLE);
    }

    fn named(&self, path: &str, query: Option<&str>) -> Option<Named> {
        let lists: Vec<_> = self.lists().values().cloned().collect();
        lists.iter().find_map(|list| {
            let now = list.now.borrow();
            let named = now.loaded.as_ref().and_then(|(loaded, _)| loaded.named(path, query));
            // Who reads a long playlist once asks for its segments alone from then on.
            named.inspect(|_| list.use_it())
        })
    }

    fn list(&self, path: &str, address: &str) -> Arc<List> {
        let mut lists = self.lists();
        let list = lists.entry(path.to_owned()).or_insert_with(|| List::new(path, address));
        if list.address != address {
            // The playlist above names another by this name now.
            *list = List::new(path, address);
        }
        list.use_it();
        list.clone()
    }

    fn lists(&self) -> MutexGuard<'_, HashMap<String, Arc<List>>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The playlist: as it was read if that is not too long ago, else as it is now, and if that is
    /// not to be had, as it was.
    async fn load(&self, list: Arc<List>) -> Result<Arc<Loaded>, StoreError> {
        let now = list.now.borrow().clone();
        if let Some((loaded, at)) = now.loaded {
            let age = at.elapsed();
            if age < loaded.fresh() {
                return Ok(loaded);
            }
            if age < loaded.bearable() {
                self.refresh(list);
                return Ok(loaded);
            }
        }
        let mut changes = list.now.subscribe();
        self.refresh(list);
        let waited = timeout(PATIENCE, changes.wait_for(|then| then.round > now.round)).await;
        let late = matches!(waited, Err(_) | Ok(Err(_)));
        drop(waited);
        let then = changes.borrow().clone();
        match (then.loaded, then.error) {
            (Some((loaded, _)), _) => Ok(loaded),
            (None, Some(error)) if !late => Err(error),
            _ => Err(StoreError::Away("it does not answer in time".into())),
        }
    }

    /// Reads the playlist anew, unless somebody does.
    fn refresh(&self, list: Arc<List>) {
        if list.busy.swap(true, Ordering::AcqRel) {
            return;
        }
        let edge = self.edge.clone();
        // A task of its own: whoever asked first may go away.
        tokio::spawn(async move {
            let asked = Asked(list);
            asked.0.read(&edge).await;
        });
    }
}

/// Somebody asks for a playlist; ends when dropped.
struct Asked(Arc<List>);

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.busy.store(false, Ordering::Release);
        self.0.now.send_modify(|now| now.round += 1);
    }
}

impl List {
    fn new(path: &str, address: &str) -> Arc<Self> {
        Arc::new(Self {
            address: address.to_owned(),
            path: path.to_owned(),
            busy: AtomicBool::new(false),
            used: Mutex::new(Instant::now()),
            now: watch::Sender::default(),
        })
    }

    fn use_it(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn idle(&self) -> Duration {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    async fn read(&self, edge: &Edge) {
        let before = self.now.borrow().loaded.clone().map(|(loaded, _)| loaded);
        let tag = before.as_ref().map(|before| &before.tag);
        let read = match edge.page(&self.address, tag).await {
            Ok(None) => before.clone().ok_or(StoreError::Changed),
            Ok(Some(page)) => match &before {
                Some(before) if before.page.text == page.text => Ok(before.clone()),
                _ => Loaded::new(&self.path, page, before.as_deref()).map(Arc::new),
            },
            Err(error) if before.is_none() && error.may_pass() => {
                names::recall(edge, &self.path, &self.address).await.map(Arc::new).ok_or(error)
            }
            Err(error) => Err(error),
        };
        if let Ok(loaded) = &read
            && !before.is_some_and(|before| Arc::ptr_eq(&before, loaded))
        {
            names::remember(edge, &self.address, loaded).await;
        }
        self.now.send_modify(|now| match read {
            Ok(loaded) => {
                now.loaded = Some((loaded, Instant::now()));
                now.error = None;
            }
            Err(error) => {
                // What is gone is gone; what is away may come back.
                if matches!(error, StoreError::Gone) {
                    now.loaded = None;
                }
                now.error = Some(error);
            }
        });
    }
}
