//! What another server has: its list is read again and again, and the channels that changed are
//! looked at. The list is another Carrete's, a folder's as a web server shows it, or an M3U list.

mod autoindex;
mod carrete;
pub(crate) mod channel;
mod inspect;
mod list;
mod m3u;
mod record;
mod rewrite;
mod source;

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    ffi::{OsStr, OsString},
    pin::pin,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use app::catalog::{Kind, Source as Origin};
use tokio::{
    task::{JoinError, JoinSet, spawn_blocking, yield_now},
    time::{Instant, sleep, timeout},
};
use url::Url;

pub(crate) use self::source::RemoteSource;
use self::{
    channel::RemoteChannel,
    inspect::{look_at, reason, unseen},
    list::{Form, LISTS, List, believed},
    record::{Raw, RemoteRecord},
};
use super::poll::{AWAY_AGAIN, LATE, Poll, SHOWN_EVERY, no_word_yet};
use crate::{
    cache::CachedStore,
    catalog::{
        name::shown,
        problem::{Problem, Whereabouts},
        record::{ChannelRecord, Location, SourceId},
        source_list::{Publisher, SourceList},
    },
    storage::{
        Page, Refusal, StoreError, Tag,
        turns::{Limits, Share, Turn},
    },
};

/// What changes without a word in the list is found out after so long.
const ANYWAY: Duration = Duration::from_secs(300);
/// Of a longer M3U list the playlists are believed unseen: it may name half the world.
const LOOKED_AT: usize = 100;

/// How many are looked at at once, of one host and in all,
const LANES: Limits = Limits { all: 64, host: 8, spare: 32, least: 2, first: 0 };
/// as long as they say something soon; who takes longer lets others pass.
const SOON: Duration = Duration::from_secs(2);
/// No more than so many take longer at once.
const LOOKS: usize = 256;
/// A look at one of them takes no longer in all,
const ONE_IN_ALL: Duration = Duration::from_secs(20);
/// and one at all of them: what is left comes the next time.
const ALL_IN_ALL: Duration = Duration::from_secs(60);
/// So often is seen to it that somebody may pass.
const PASSES: Duration = Duration::from_millis(100);
/// One that cannot be read is tried again after so long, then after twice as long, up to [`ANYWAY`].
const AGAIN: Duration = Duration::from_secs(5);
/// So many names of a list that is believed are taken at once.
const BELIEVED_AT_ONCE: usize = 1000;

/// Another server whose channels are listed beside those of the streams folder.
#[derive(Clone, Debug)]
pub struct RemoteConfig {
    /// The server, with the cache before it.
    pub edge: CachedStore,
    /// The address of its list.
    pub address: Url,
    /// What is taken of it.
    pub kind: Kind,
    /// How often its list is read.
    pub refresh: Duration,
}

/// The channels of a server, by their names in its list.
pub(crate) type Channels = Arc<RwLock<HashMap<OsString, Arc<RemoteChannel>>>>;

/// Where a channel of a server lies.
fn location_at(edge: &CachedStore, address: String) -> Location {
    let source = SourceId::new(edge.name());
    Location { source, origin: Origin::Http, prefix: address, folder: None }
}

/// What is known of one name.
#[derive(Default)]
struct KnownName {
    raw: Option<Raw>,
    looked: Option<Instant>,
    told: Option<RemoteRecord>,
    record: Option<Arc<ChannelRecord>>,
    channel: Option<Arc<RemoteChannel>>,
    trouble: Option<Problem>,
    /// How often it could not be read, one time after the other.
    failures: u32,
}

impl KnownName {
    /// Whether there is anything to look at now.
    fn is_due(&self, raw: &Raw) -> bool {
        let pause = match self.failures {
            0 => ANYWAY,
            n => AGAIN.saturating_mul(1 << (n - 1).min(10)).min(ANYWAY),
        };
        let rested = self.looked.is_none_or(|at| at.elapsed() >= pause);
        rested || self.raw.as_ref() != Some(raw)
    }
}

/// Keeps what is known of one server up to date.
pub(crate) struct Poller {
    origin: RemoteConfig,
    publish: Publisher,
    /// Where those who serve them find the channels.
    channels: Channels,
    form: Option<Form>,
    tag: Tag,
    raws: Arc<[(String, Raw)]>,
    known: HashMap<String, KnownName>,
    recalled: bool,
    /// What is known is another than what was written down last.
    is_news: bool,
    told_list: SourceList,
}

impl Poll for Poller {
    async fn look(&mut self) -> Duration {
        let began = Instant::now();
        let first = self.known.is_empty();
        // Nobody waits for a server of which all is known.
        if first && let Some(told) = self.origin.edge.recall::<Vec<RemoteRecord>>().await {
            self.believe(told);
            self.recalled = true;
            self.told_list.available = false;
            self.show();
        }
        if let Err(error) = self.list(first).await {
            self.away(&error);
            return self.origin.refresh.min(AWAY_AGAIN);
        }
        if !self.told_list.available {
            self.told_list.is_there();
            // What could not be read may have been away with it.
            let failed = self.known.values_mut().filter(|known| known.failures > 0);
            failed.for_each(|known| known.looked = None);
        }
        if std::mem::take(&mut self.recalled) {
            self.known.values_mut().for_each(|known| known.raw = None);
        }
        let failed_anew = self.take().await;
        self.judge();
        self.show();
        let channels = self.known.values().filter_map(|known| known.channel.as_ref());
        channels.for_each(|channel| channel.rest());
        self.remember().await;
        if first && !self.known.is_empty() {
            self.told_list.is_read(began.elapsed());
        }
        if failed_anew { self.origin.refresh.min(AWAY_AGAIN) } else { self.origin.refresh }
    }

    fn into_list(self) -> SourceList {
        self.told_list
    }
}

impl Poller {
    pub(crate) fn new(origin: RemoteConfig, publish: Publisher, channels: Channels) -> Self {
        let told_list = SourceList::new(SourceId::new(origin.edge.name()));
        Self {
            origin,
            publish,
            channels,
            form: None,
            tag: Tag::default(),
            raws: Arc::default(),
            known: HashMap::new(),
            recalled: false,
            is_news: false,
            told_list,
        }
    }

    /// As it is, without lines in the log about channels: whoever asks is told otherwise.
    pub(crate) fn silent(mut self) -> Self {
        self.told_list.silent = true;
        self
    }

    /// Reads the list; what it names is in `raws` then.
    async fn list(&mut self, first: bool) -> Result<(), StoreError> {
        let mut asked = pin!(self.ask());
        let patience = if first { LATE } else { Duration::MAX };
        let read = match timeout(patience, &mut asked).await {
            Ok(read) => read,
            Err(_) => {
                self.away(&no_word_yet());
                asked.await
            }
        };
        if matches!(read, Err(StoreError::Gone)) {
            // Something else may be there next time.
            self.form = None;
            return Err(StoreError::Refused(Refusal {
                what: "there is nothing at its address".into(),
                fix: LISTS.into(),
            }));
        }
        let Some(page) = read? else { return Ok(()) };
        let kind = self.origin.kind;
        // A list may be long: reading it takes a thread that nobody else waits for.
        let read = spawn_blocking(move || List::read(page, kind)).await;
        let read = read.unwrap_or_else(|_| Err(StoreError::Away("this host failed".into())));
        let List { form, tag, raws, behind } = read.inspect_err(|_| self.form = None)?;
        (self.form, self.tag, self.raws, self.told_list.behind) =
            (Some(form), tag, raws.into(), behind);
        Ok(())
    }

    /// What is wrong with it as a whole, though it answers.
    fn judge(&mut self) {
        let label = self.origin.edge.label();
        let unread = self.known.values();
        let unread = unread.filter(|known| known.failures > 0 && known.record.is_none()).count();
        match (self.told_list.behind.len(), unread) {
            (0, 0) => self.told_list.is_there(),
            (0, n) => self.told_list.is_there_but(format!(
                "{label}: {n} of its channels cannot be read; carrete doctor names them"
            )),
            (n, _) => {
                self.told_list.is_there_but(format!("{label}: it cannot reach {n} of its channels"))
            }
        }
    }

    /// Writes down what is known, for a start without that server.
    async fn remember(&mut self) {
        if std::mem::take(&mut self.is_news) {
            let told = self.known.values().filter_map(|known| known.told.clone());
            let told: Vec<RemoteRecord> = told.collect();
            self.is_news = !self.origin.edge.remember(told).await;
        }
    }

    /// The list as it is now; nothing where it still is what it was.
    fn ask(&self) -> impl Future<Output = Result<Option<Page>, StoreError>> + Send + use<> {
        let RemoteConfig { edge, address, kind, .. } = self.origin.clone();
        let (form, tag) = (self.form, self.tag.clone());
        async move {
            let videos = carrete::list_of(&address);
            match form {
                Some(Form::Carrete) => edge.page(videos.as_str(), Some(&tag)).await,
                Some(_) => edge.page(address.as_str(), Some(&tag)).await,
                None if is_m3u(&address) => edge.page(address.as_str(), None).await,
                None => match edge.page(videos.as_str(), None).await {
                    Ok(Some(page)) => match believed(page, kind).await {
                        Some(page) => Ok(Some(page)),
                        None => edge.page(address.as_str(), None).await,
                    },
                    Ok(None) | Err(StoreError::Gone | StoreError::Refused(_)) => {
                        edge.page(address.as_str(), None).await
                    }
                    Err(error) => Err(error),
                },
            }
        }
    }

    /// Channels as they were before a restart, unseen.
    fn believe(&mut self, told: Vec<RemoteRecord>) {
        for told in told {
            let (record, name) = (told.record(&self.origin.edge), told.name.clone());
            self.told_list.remark(OsStr::new(&name), Whereabouts::Server, &record, None);
            let channel = Some(Arc::new(told.channel(&self.origin.edge, None)));
            let (record, told) = (Some(Arc::new(record)), Some(told));
            self.known.insert(name, KnownName { told, record, channel, ..KnownName::default() });
        }
    }

    fn away(&mut self, error: &StoreError) {
        self.told_list.is_away(format!("{}: {error}", self.origin.edge.label()));
        self.show();
    }

    /// Looks at what changed; answers whether something could not be read that could before. Each is
    /// looked at by itself, and each host has its share of the looks: what is slow makes nothing else
    /// wait.
    async fn take(&mut self) -> bool {
        let raws = self.raws.clone();
        let names: HashSet<&str> = raws.iter().map(|(name, _)| name.as_str()).collect();
        let before = self.known.len();
        self.known.retain(|name, _| names.contains(name.as_str()));
        self.is_news |= self.known.len() != before;
        let mut waiting = if self.form == Some(Form::M3u) && raws.len() > LOOKED_AT {
            self.take_unseen(&raws).await;
            BTreeMap::new()
        } else {
            self.waiting(&raws)
        };
        let (lanes, mut looking) = (Share::new(LANES), JoinSet::new());
        let until = Instant::now() + ALL_IN_ALL;
        let (mut failed_anew, mut shown, mut is_shown) = (false, Instant::now(), true);
        loop {
            for (host, queue) in &mut waiting {
                while looking.len() < LOOKS
                    && !queue.is_empty()
                    && let Some(lane) = lanes.try_take(host)
                {
                    let Some(at) = queue.pop_front() else { break };
                    looking.spawn(look(self.origin.clone(), raws.clone(), at, lane));
                }
            }
            waiting.retain(|_, queue| !queue.is_empty());
            if looking.is_empty() || Instant::now() >= until {
                return failed_anew || !waiting.is_empty();
            }
            tokio::select! {
                looked = looking.join_next() => {
                    failed_anew |= self.looked(looked);
                    is_shown = false;
                }
                () = sleep(PASSES) => {}
            }
            if !is_shown && shown.elapsed() >= SHOWN_EVERY {
                self.show();
                (shown, is_shown) = (Instant::now(), true);
            }
        }
    }

    /// What has to be looked at, by host: first what nobody knows yet, last what gave trouble.
    fn waiting(&mut self, raws: &[(String, Raw)]) -> BTreeMap<String, VecDeque<usize>> {
        let mut due = Vec::new();
        for (at, (name, raw)) in raws.iter().enumerate() {
            let known = self.known.entry(name.clone()).or_default();
            if known.is_due(raw) {
                due.push(((known.failures > 0, known.looked.is_some()), at));
            }
        }
        due.sort_by_key(|(rank, _)| *rank);
        let mut waiting: BTreeMap<String, VecDeque<usize>> = BTreeMap::new();
        for (_, at) in due {
            let url = Url::parse(raws[at].1.address());
            let host = url.map(|url| url.origin().ascii_serialization()).unwrap_or_default();
            waiting.entry(host).or_default().push_back(at);
        }
        waiting
    }

    /// Takes a long list as it is: nobody looks at half the world.
    async fn take_unseen(&mut self, raws: &[(String, Raw)]) {
        let mut left_out = 0_usize;
        for some in raws.chunks(BELIEVED_AT_ONCE) {
            for (name, raw) in some {
                let known = self.known.entry(name.clone()).or_default();
                match raw {
                    Raw::Named(told) if known.is_due(raw) => {
                        let told = unseen(&self.origin, told, known.channel.as_deref());
                        self.looked(Some(Ok((name.clone(), raw.clone(), told))));
                    }
                    // Such a list may hold thousands of them: one line tells of all.
                    Raw::LeftOut { .. } if known.raw.is_none() => {
                        known.raw = Some(raw.clone());
                        left_out += 1;
                    }
                    _ => {}
                }
            }
            yield_now().await;
        }
        if left_out > 0 {
            let label = self.origin.edge.label();
            tracing::warn!(
                "{label}: {left_out} entries are left out: browsers do not play files and lists of \
                 their types."
            );
        }
    }

    /// Takes in what a look found; answers whether something cannot be read that could before.
    fn looked(&mut self, looked: Option<Result<LookedAt, JoinError>>) -> bool {
        let Some(Ok((name, raw, looked))) = looked else { return false };
        let Some(known) = self.known.get_mut(&name) else { return false };
        known.looked = Some(Instant::now());
        match looked {
            Ok(told) => {
                if known.told != told || known.record.is_none() {
                    let (edge, before) = (&self.origin.edge, known.channel.take());
                    let channel = told.as_ref().map(|told| told.channel(edge, before.as_deref()));
                    known.channel = channel.map(Arc::new);
                    let record = told.as_ref().map(|told| Arc::new(told.record(edge)));
                    if let Some(record) = &record {
                        let (name, before) = (OsStr::new(&name), known.record.as_deref());
                        self.told_list.remark(name, Whereabouts::Server, record, before);
                    }
                    (known.record, known.told) = (record, told);
                    self.is_news = true;
                }
                (known.raw, known.trouble, known.failures) = (Some(raw), None, 0);
                false
            }
            // What cannot be read now stays as it was until the next look.
            Err(reason @ Problem::Unreadable { .. }) => {
                if known.failures == 0 && known.record.is_none() {
                    let name = shown(OsStr::new(&name));
                    tracing::warn!("{name} of the server cannot be listed yet: {reason}.");
                }
                (known.raw, known.trouble) = (Some(raw), Some(reason));
                known.failures = known.failures.saturating_add(1);
                known.failures == 1
            }
            Err(reason) => {
                if known.trouble.as_ref() != Some(&reason) {
                    let fix = reason.fix(Whereabouts::Server, &name);
                    let name = shown(OsStr::new(&name));
                    tracing::warn!("{name} of the server is left out: {reason}; {fix}.");
                }
                self.is_news |= known.told.is_some();
                (known.record, known.told, known.channel) = (None, None, None);
                (known.raw, known.trouble, known.failures) = (Some(raw), Some(reason), 0);
                false
            }
        }
    }

    fn show(&mut self) {
        let named = |name: &String| OsString::from(name);
        let channels = self.known.iter();
        self.told_list.channels = channels
            .filter_map(|(name, known)| Some((named(name), known.record.clone()?)))
            .collect();
        let left_out = self.known.iter();
        self.told_list.left_out = left_out
            .filter_map(|(name, known)| Some((named(name), known.trouble.clone()?)))
            .collect();
        let served = self.known.iter();
        let served = served.filter_map(|(name, known)| Some((named(name), known.channel.clone()?)));
        // Whoever reads the new list finds the new channels.
        *self.channels.write().unwrap_or_else(PoisonError::into_inner) = served.collect();
        self.publish.publish(&self.told_list);
    }
}

type LookedAt = (String, Raw, Result<Option<RemoteRecord>, Problem>);

/// A look at one name of a list. Its lane is free again when it is done, or takes its time.
async fn look(origin: RemoteConfig, raws: Arc<[(String, Raw)]>, at: usize, lane: Turn) -> LookedAt {
    let (name, raw) = &raws[at];
    let mut looking = pin!(timeout(ONE_IN_ALL, look_at(&origin, name, raw)));
    let looked = match timeout(SOON, &mut looking).await {
        Ok(looked) => looked,
        Err(_) => {
            drop(lane);
            looking.await
        }
    };
    let late = |_| Err(reason(name, &StoreError::Away("it does not come to an end".into())));
    (name.clone(), raw.clone(), looked.unwrap_or_else(late))
}

fn is_m3u(address: &Url) -> bool {
    let path = address.path().to_ascii_lowercase();
    address.query().is_some() || path.ends_with(".m3u") || path.ends_with(".m3u8")
}
