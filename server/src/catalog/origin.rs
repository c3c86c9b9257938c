//! What another server has: its list is read again and again, and the channels that changed are
//! looked at. The list is another Carrete's, a folder's as a web server shows it, or an M3U list.

mod carrete;
mod index;
mod look;
mod m3u;
mod told;

use std::{
    collections::{HashMap, HashSet},
    ffi::OsString,
    pin::pin,
    sync::Arc,
    time::Duration,
};

use app::catalog::Kind;
use tokio::{
    sync::watch as channel,
    task::JoinSet,
    time::{Instant, timeout},
};
use url::Url;

use self::{
    look::look_at,
    told::{Raw, Told},
};
use super::{
    facts::Facts,
    reason::Reason,
    stock::{AWAY_AGAIN, LATE, Looking, READERS, SHOWN_EVERY, Stock, Stocks, no_word_yet},
};
use crate::storage::{Page, Refusal, StoreError, Tag, edge::Edge};

/// What changes without a word in the list is found out after so long.
const ANYWAY: Duration = Duration::from_secs(300);
/// Of a longer M3U list the playlists are believed unseen: it may name half the world.
const LOOKED_AT: usize = 100;

/// What mends an address where no list is.
const LISTS: &str =
    "give the address of a Carrete, of a folder that a web server lists, or of an M3U list";

/// Another server whose channels are listed beside those of the streams folder.
#[derive(Clone, Debug)]
pub struct OriginSource {
    /// The server, with the cache before it.
    pub edge: Edge,
    /// The address of its list.
    pub address: Url,
    /// What is taken of it.
    pub kind: Kind,
    /// How often its list is read.
    pub refresh: Duration,
}

/// What kind of list it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Another Carrete's.
    Carrete,
    /// A folder as a web server shows it.
    Index,
    /// M3U.
    M3u,
}

/// What is known of one name.
#[derive(Default)]
struct Known {
    raw: Option<Raw>,
    looked: Option<Instant>,
    told: Option<Told>,
    facts: Option<Arc<Facts>>,
    trouble: Option<Reason>,
}

/// Keeps what is known of one server up to date.
pub(super) struct Keeper {
    origin: OriginSource,
    place: usize,
    publish: channel::Sender<Stocks>,
    form: Option<Form>,
    tag: Tag,
    raws: Vec<(String, Raw)>,
    known: HashMap<String, Known>,
    recalled: bool,
    stock: Stock,
}

impl Looking for Keeper {
    async fn look(&mut self) -> Duration {
        let began = Instant::now();
        let first = self.known.is_empty();
        // Nobody waits for a server of which all is known.
        if first && let Some(told) = self.origin.edge.recall::<Vec<Told>>().await {
            self.believe(told);
            self.recalled = true;
            self.stock.available = false;
            self.show();
        }
        if let Err(error) = self.list(first).await {
            self.away(&error);
            return self.origin.refresh.min(AWAY_AGAIN);
        }
        let label = self.origin.edge.label();
        match self.stock.behind.len() {
            0 => self.stock.is_there(),
            n => self.stock.is_there_but(format!("{label}: it cannot reach {n} of its channels")),
        }
        if std::mem::take(&mut self.recalled) {
            self.known.values_mut().for_each(|known| known.raw = None);
        }
        let whole = self.take().await;
        self.show();
        let facts = self.known.values().filter_map(|known| known.facts.as_ref());
        facts.filter_map(|facts| facts.distant()).for_each(|distant| distant.rest());
        let told: Vec<&Told> =
            self.known.values().filter_map(|known| known.told.as_ref()).collect();
        self.origin.edge.remember(&told).await;
        if first && !self.known.is_empty() {
            self.stock.is_read(began.elapsed());
        }
        if whole { self.origin.refresh } else { self.origin.refresh.min(AWAY_AGAIN) }
    }

    fn into_stock(self) -> Stock {
        self.stock
    }
}

impl Keeper {
    pub(super) fn new(
        origin: OriginSource,
        place: usize,
        publish: channel::Sender<Stocks>,
    ) -> Self {
        let stock = Stock { name: origin.edge.name(), available: true, ..Stock::default() };
        Self {
            origin,
            place,
            publish,
            form: None,
            tag: Tag::default(),
            raws: Vec::new(),
            known: HashMap::new(),
            recalled: false,
            stock,
        }
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
        self.read(page)
    }

    /// The list as it is now; nothing where it still is what it was.
    fn ask(&self) -> impl Future<Output = Result<Option<Page>, StoreError>> + Send + use<> {
        let OriginSource { edge, address, .. } = self.origin.clone();
        let (form, tag) = (self.form, self.tag.clone());
        async move {
            let videos = carrete::list_of(&address);
            match form {
                Some(Form::Carrete) => edge.page(videos.as_str(), Some(&tag)).await,
                Some(_) => edge.page(address.as_str(), Some(&tag)).await,
                None if is_m3u(&address) => edge.page(address.as_str(), None).await,
                None => match edge.page(videos.as_str(), None).await {
                    Ok(Some(page)) if carrete::is_list(&page) => Ok(Some(page)),
                    Ok(_) | Err(StoreError::Gone | StoreError::Refused(_)) => {
                        edge.page(address.as_str(), None).await
                    }
                    Err(error) => Err(error),
                },
            }
        }
    }

    fn read(&mut self, page: Page) -> Result<(), StoreError> {
        let kind = self.origin.kind;
        let mut behind = HashSet::new();
        let read = if m3u::is_m3u(&page) {
            Some((Form::M3u, m3u::read(&page, kind)))
        } else if carrete::is_list(&page) {
            let raws;
            (raws, behind) = carrete::read(&page, kind);
            Some((Form::Carrete, raws))
        } else {
            index::read(&page).map(|entries| (Form::Index, index::raws(entries, kind)))
        };
        let Some((form, raws)) = read else {
            self.form = None;
            return Err(unknown(&page));
        };
        self.form = Some(form);
        self.tag = page.tag;
        self.raws = raws;
        self.stock.behind = behind;
        Ok(())
    }

    /// Channels as they were before a restart, unseen.
    fn believe(&mut self, told: Vec<Told>) {
        for told in told {
            let facts = Some(Arc::new(told.facts(&self.origin.edge, None)));
            let name = told.name.clone();
            self.known.insert(name, Known { told: Some(told), facts, ..Known::default() });
        }
    }

    fn away(&mut self, error: &StoreError) {
        self.stock.is_away(format!("{}: {error}", self.origin.edge.label()));
        self.show();
    }

    /// Looks at what changed; answers whether all of it could be looked at.
    async fn take(&mut self) -> bool {
        let names: HashSet<&str> = self.raws.iter().map(|(name, _)| name.as_str()).collect();
        self.known.retain(|name, _| names.contains(name.as_str()));
        let unseen = self.form == Some(Form::M3u) && self.raws.len() > LOOKED_AT;
        let (mut whole, mut shown) = (true, Instant::now());
        let mut looking = JoinSet::new();
        for (name, raw) in self.raws.clone() {
            let known = self.known.entry(name.clone()).or_default();
            let old = known.looked.is_none_or(|at| at.elapsed() >= ANYWAY);
            if known.raw.as_ref() == Some(&raw) && !old {
                continue;
            }
            while looking.len() >= READERS {
                whole &= self.looked(looking.join_next().await);
            }
            if shown.elapsed() >= SHOWN_EVERY {
                self.show();
                shown = Instant::now();
            }
            let before = self.known.get(&name).and_then(|known| known.facts.clone());
            let origin = self.origin.clone();
            looking.spawn(async move {
                let looked = look_at(&origin, &name, &raw, before.as_deref(), unseen).await;
                (name, raw, looked)
            });
        }
        while !looking.is_empty() {
            whole &= self.looked(looking.join_next().await);
        }
        whole
    }

    fn looked(&mut self, looked: Option<Result<LookedAt, tokio::task::JoinError>>) -> bool {
        let Some(Ok((name, raw, looked))) = looked else { return false };
        let Some(known) = self.known.get_mut(&name) else { return true };
        match looked {
            Ok(told) => {
                let before = known.facts.as_ref().and_then(|facts| facts.distant()).cloned();
                if known.told != told || known.facts.is_none() {
                    let facts = told
                        .as_ref()
                        .map(|told| Arc::new(told.facts(&self.origin.edge, before.as_deref())));
                    (known.facts, known.told) = (facts, told);
                }
                known.raw = Some(raw);
                known.looked = Some(Instant::now());
                known.trouble = None;
                true
            }
            Err(reason) => {
                // What cannot be read now stays as it was until the next look.
                let settled = !matches!(reason, Reason::Unreadable { .. });
                if settled {
                    if known.trouble.as_ref() != Some(&reason) {
                        tracing::warn!("{name:?} of the server is left out: {reason}.");
                    }
                    (known.facts, known.told) = (None, None);
                    known.raw = Some(raw);
                    known.looked = Some(Instant::now());
                }
                known.trouble = Some(reason);
                settled
            }
        }
    }

    fn show(&mut self) {
        let named = |name: &String| OsString::from(name);
        let channels = self.known.iter();
        self.stock.channels = channels
            .filter_map(|(name, known)| Some((named(name), known.facts.clone()?)))
            .collect();
        let left_out = self.known.iter();
        self.stock.left_out = left_out
            .filter_map(|(name, known)| Some((named(name), known.trouble.clone()?)))
            .collect();
        self.stock.show(self.place, &self.publish);
    }
}

type LookedAt = (String, Raw, Result<Option<Told>, Reason>);

fn is_m3u(address: &Url) -> bool {
    let path = address.path().to_ascii_lowercase();
    address.query().is_some() || path.ends_with(".m3u") || path.ends_with(".m3u8")
}

fn unknown(page: &Page) -> StoreError {
    let what = if page.text.trim().is_empty() { "its list is empty" } else { "it shows no list" };
    StoreError::Refused(Refusal { what: what.into(), fix: LISTS.into() })
}
