//! A channel on another server: its playlists are read when somebody asks for them, and tell what
//! else there is. Nothing that no playlist names is asked of that server.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use tokio::{
    sync::{Semaphore, watch},
    time::timeout,
};

use super::rewrite;
pub(crate) use super::rewrite::{File, How, Loaded, Named};
use crate::{
    cache::CachedStore,
    catalog::record::{PLAYLIST, ServedPlaylist},
    storage::{Page, StoreError},
};

/// How long somebody who asks for a playlist that is not known waits for it.
const PATIENCE: Duration = Duration::from_millis(1800);
/// A playlist that nobody has asked for in so long is forgotten: a long film's names take room.
const IDLE: Duration = Duration::from_secs(300);
/// So many of them are asked for at once.
const CHILDREN_AT_ONCE: usize = 8;

/// A channel on another server.
#[derive(Debug)]
pub(crate) struct RemoteChannel {
    pub(crate) edge: CachedStore,
    /// Where its playlist, or the bare file, lies.
    pub(crate) address: String,
    pub(crate) bare: bool,
    /// Its server is a Carrete, which may still have what an older address named.
    pub(crate) keeps_older: bool,
    lists: Arc<Lists>,
}

/// The playlists of a channel, by our path.
#[derive(Debug, Default)]
struct Lists {
    by_path: Mutex<HashMap<String, Arc<List>>>,
    /// Who looks for what was written down of them; others wait for what he finds.
    recalls: Turns,
}

#[derive(Debug)]
struct Turns(Semaphore);

impl Default for Turns {
    fn default() -> Self {
        Self(Semaphore::new(1))
    }
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

impl RemoteChannel {
    /// A channel at `address`. What `before` has read of the same is kept.
    pub(crate) fn new(
        edge: CachedStore,
        address: String,
        bare: bool,
        before: Option<&Self>,
    ) -> Self {
        let before = before.filter(|before| before.address == address);
        let lists = before.map(|before| before.lists.clone()).unwrap_or_default();
        Self { edge, address, bare, keeps_older: false, lists }
    }

    /// The channel's own playlist.
    pub(crate) async fn main(&self) -> Result<Arc<Loaded>, StoreError> {
        self.load(self.list(PLAYLIST, &self.address)).await
    }

    /// The playlists that a master names, in its order, without those that do not come; why not, if
    /// none does.
    pub(crate) async fn children(&self, main: &Loaded) -> Result<Vec<Arc<Loaded>>, StoreError> {
        let lists = main.children();
        let lists: Vec<_> = lists.map(|(path, address)| self.list(path, address)).collect();
        let loaded = stream::iter(lists).map(|list| self.load(list)).buffered(CHILDREN_AT_ONCE);
        let (mut children, mut error) = (Vec::new(), None);
        for loaded in loaded.collect::<Vec<_>>().await {
            match loaded {
                Ok(loaded) => children.push(loaded),
                Err(why) => error = error.or(Some(why)),
            }
        }
        match error.filter(|_| children.is_empty()) {
            Some(why) => Err(why),
            None => Ok(children),
        }
    }

    /// Whether its playlist has been read, and then what it says.
    pub(crate) fn known(&self) -> Option<Arc<Loaded>> {
        let list = self.lists().get(PLAYLIST)?.clone();
        let now = list.now.borrow();
        now.loaded.as_ref().map(|(loaded, _)| loaded.clone())
    }

    /// What is served at `path` inside the channel's folder, and behind a question mark `query`; of a
    /// single file at the empty path.
    /// `None` where no playlist names it.
    pub(crate) async fn find(
        &self,
        path: &str,
        query: Option<&str>,
    ) -> Result<Option<Named>, StoreError> {
        if self.bare {
            return Ok(path.is_empty().then(|| Named::File(File::beside(&self.address))));
        }
        if path == PLAYLIST {
            return Ok(Some(Named::Playlist(self.address.clone())));
        }
        if let Some(named) = self.named(path, query) {
            return Ok(Some(named));
        }
        // After a restart, or a long pause, somebody may go on where he was before anybody has read the
        // playlists. What is written down of them is enough: nobody else is asked for any name.
        self.recall().await;
        Ok(self.named(path, query))
    }

    /// Takes in what was written down of the playlists, where they are not known.
    async fn recall(&self) {
        let Ok(_turn) = self.lists.recalls.0.acquire().await else { return };
        let Some(main) = self.recalled(PLAYLIST, &self.address, None).await else { return };
        for (path, address) in main.children() {
            self.recalled(path, address, Some(main.clone())).await;
        }
    }

    async fn recalled(
        &self,
        path: &str,
        address: &str,
        above: Option<Arc<Loaded>>,
    ) -> Option<Arc<Loaded>> {
        let list = self.lists().get(path).filter(|list| list.address == address).cloned();
        let known = list.and_then(|list| list.now.borrow().loaded.clone());
        if let Some((loaded, _)) = known {
            return Some(loaded);
        }
        let loaded = Arc::new(rewrite::recall(&self.edge, path, address, above).await?);
        // Nobody knows whether it still is so: whoever asks for it has it asked for.
        let long_ago = Instant::now().checked_sub(loaded.fresh()).unwrap_or_else(Instant::now);
        let list = self.list(path, address);
        list.now.send_modify(|now| {
            now.loaded.get_or_insert_with(|| (loaded.clone(), long_ago));
        });
        Some(loaded)
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
            let named = now.loaded.as_ref();
            let named = named.and_then(|(loaded, _)| loaded.named(path, query, self.keeps_older));
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
        self.lists.by_path.lock().unwrap_or_else(PoisonError::into_inner)
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
        let asked = Asked(list);
        let task = match self.edge.task(&asked.0.address) {
            Ok(task) => task,
            Err(busy) => {
                asked.0.now.send_modify(|now| now.error = Some(busy));
                return;
            }
        };
        let edge = self.edge.clone();
        // What the channel's own playlist defines holds in those that it names.
        let above = self.known().filter(|_| asked.0.path != PLAYLIST);
        // A task of its own: whoever asked first may go away.
        tokio::spawn(async move {
            tokio::select! {
                () = edge.stopped() => {}
                () = asked.0.read(&edge, above) => {}
            }
            drop((asked, task));
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

    async fn read(&self, edge: &CachedStore, above: Option<Arc<Loaded>>) {
        let before = self.now.borrow().loaded.clone().map(|(loaded, _)| loaded);
        let tag = before.as_ref().map(|before| &before.tag);
        let page = edge.page(&self.address, tag).await;
        let page = page.map(|page| page.or_else(|| Some(before.as_ref()?.page.clone())));
        let same = |page: &Page| {
            let same = before.as_ref().filter(|before| before.page.text == page.text);
            same.filter(|before| before.is_below(above.as_deref())).cloned()
        };
        let read = match page {
            Ok(None) => Err(StoreError::Changed),
            Ok(Some(page)) => match same(&page) {
                Some(before) => Ok(before),
                None => rewrite::read(&self.path, page, before.clone(), above).await.map(Arc::new),
            },
            Err(error) if before.is_none() && error.may_pass() => {
                let kept = rewrite::recall(edge, &self.path, &self.address, above).await;
                kept.map(Arc::new).ok_or(error)
            }
            Err(error) => Err(error),
        };
        if let Ok(loaded) = &read
            && !before.is_some_and(|before| Arc::ptr_eq(&before, loaded))
        {
            rewrite::remember(edge, &self.address, loaded).await;
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

#[cfg(test)]
mod tests;
