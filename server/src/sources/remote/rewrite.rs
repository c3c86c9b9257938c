//! A playlist of another server as it is served: under which of our names it and what it names are
//! asked for. Names stay the same from one reading to the next, and tell nothing of tokens.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use app::catalog::encode_segment;
use bytes::Bytes;
use tokio::task::spawn_blocking;
use url::Url;

use crate::{
    cache::CachedStore,
    catalog::record::{PLAYLIST, ServedPlaylist, etag_of},
    hls::{
        media_type,
        playlist::{
            self, Playlist, Reference, Role,
            variables::{self, Variables},
        },
        render::readdress,
        uri::{encoded, resolve},
    },
    storage::{Page, Refusal, StoreError, Tag},
};

/// What lies elsewhere is served below this folder of the channel.
const ELSEWHERE: &str = "~";
/// Our own names in a channel's folder.
const OWN: [&str; 3] = [PLAYLIST, "poster.webp", "waveform.json"];
/// A finished playlist is asked for again after so long, while it is served.
const FINISHED: Duration = Duration::from_secs(30);
/// A live one that says nothing of its pace is taken for one of segments so long.
const TARGET_S: f64 = 6.0;
/// What a live playlist named stays served while so many newer ones come.
const GENERATIONS: usize = 4;
/// More playlists than this in one channel are a mistake: further ones are not looked into.
const MAX_CHILDREN: usize = 64;
/// All addresses of one playlist, in bytes: a long one above it stands in each.
const MAX_ADDRESS_BYTES: usize = 64 << 20;
/// The longest playlist that is kept for a restart.
const KEPT_MAX: usize = 4 << 20;

/// Something that a playlist names.
#[derive(Clone, Debug)]
pub(crate) enum Named {
    /// Another playlist, by its address.
    Playlist(String),
    /// A file.
    File(File),
}

/// A file of another server.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) address: Arc<str>,
    /// Tells segments of a live playlist apart that have one address after the other.
    pub(crate) turn: u64,
    /// What is played after it.
    pub(crate) next: Option<(Arc<str>, u64)>,
    /// How it came to be asked for.
    pub(crate) how: How,
}

/// How a file is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// By its name alone.
    Plain,
    /// By its name and what stands behind it, as a playlist has both.
    Exact,
    /// In an older state, which no playlist names any more.
    Older,
}

impl File {
    /// One that stands for itself.
    pub(crate) fn beside(address: &str) -> Self {
        Self { address: address.into(), turn: 0, next: None, how: How::Plain }
    }
}

type Names = HashMap<String, Named>;

/// A playlist as it was read.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) served: ServedPlaylist,
    pub(crate) playlist: Playlist,
    pub(crate) page: Page,
    pub(crate) tag: Tag,
    /// The names of its segments.
    pub(crate) segments: Vec<String>,
    /// What to look into to know what it is made of.
    pub(crate) sample: Option<Arc<str>>,
    /// What it defines for the playlists that it names, and what the one above defined for it.
    variables: Variables,
    above: Variables,
    children: Vec<(String, String)>,
    target: Duration,
    names: Arc<Names>,
    before: Vec<Arc<Names>>,
}

impl Loaded {
    /// Reads a page as the playlist that is served at `path`. `above` is the master that names it.
    pub(crate) fn new(
        path: &str,
        page: Page,
        before: Option<&Self>,
        above: Option<&Self>,
    ) -> Result<Self, StoreError> {
        if page.text.len() as u64 > playlist::MAX_BYTES {
            return Err(unfit("it is too long"));
        }
        let base = Url::parse(&page.address).map_err(|_| unfit("its address is none"))?;
        let above = above.map(|above| &above.variables);
        let expanded = variables::expand(&page.text, base.query(), above);
        let (text, variables) = expanded.map_err(|why| unfit(&why.to_string()))?;
        let playlist = playlist::parse(&text).map_err(|why| unfit(&why.to_string()))?;
        let live = !playlist.master && !playlist.ended;
        let number = |tag: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(tag))?;
            value.trim().parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0)
        };
        let target_s = number("#EXT-X-TARGETDURATION:").unwrap_or(TARGET_S).clamp(0.5, 60.0);
        let mut turn = number("#EXT-X-MEDIA-SEQUENCE:").map_or(0, |first| first as u64);
        let mut reading = Reading::default();
        let served = readdress(&text, &playlist, |reference| {
            let written = &text[reference.span.clone()];
            let is_segment = matches!(reference.role, Role::Segment | Role::Gap);
            turn = turn.wrapping_add(u64::from(is_segment));
            let turn = if live && is_segment && !reference.ranged { turn } else { 0 };
            reading.name(path, &base, written, reference, turn)
        });
        if reading.address_bytes > MAX_ADDRESS_BYTES {
            return Err(unfit("its addresses are too long"));
        }
        if reading.wrong {
            return Err(unfit("it names what is no address of a web server"));
        }
        let text = Bytes::from(without_parts(served));
        let modified = page.tag.modified.as_deref().and_then(|t| httpdate::parse_http_date(t).ok());
        let modified = modified.unwrap_or_else(std::time::SystemTime::now);
        let mut older = Vec::new();
        if let Some(before) = before.filter(|_| live) {
            older.push(before.names.clone());
            older.extend(before.before.iter().take(GENERATIONS - 1).cloned());
        }
        Ok(Self {
            served: ServedPlaylist { etag: etag_of(&text), text, modified },
            tag: page.tag.clone(),
            sample: reading.init.or(reading.first).filter(|_| !playlist.encrypted),
            playlist,
            page,
            segments: reading.segments,
            variables,
            above: above.cloned().unwrap_or_default(),
            children: reading.children,
            target: Duration::from_secs_f64(target_s),
            names: Arc::new(reading.names),
            before: older,
        })
    }

    /// Whether what the master above defines is what it was read with.
    pub(super) fn is_below(&self, above: Option<&Self>) -> bool {
        above.map_or(self.above == Variables::default(), |above| self.above == above.variables)
    }

    /// Whether it still grows.
    pub(crate) fn is_live(&self) -> bool {
        !self.playlist.master && !self.playlist.ended
    }

    /// The playlists that it names, of a great many the first: our path, and their address.
    pub(crate) fn children(&self) -> impl Iterator<Item = (&str, &str)> {
        self.children.iter().map(|(path, address)| (path.as_str(), address.as_str()))
    }

    /// For so long it is served without asking,
    pub(super) fn fresh(&self) -> Duration {
        if self.is_live() { self.target / 2 } else { FINISHED }
    }

    /// and for so long while somebody asks.
    pub(super) fn bearable(&self) -> Duration {
        if self.is_live() { self.target } else { Duration::MAX }
    }

    /// What it names so. With `keeps_older` another version than it names is the business of its
    /// server; without, no playlist names it.
    pub(super) fn named(
        &self,
        path: &str,
        query: Option<&str>,
        keeps_older: bool,
    ) -> Option<Named> {
        let all = || [&self.names].into_iter().chain(&self.before);
        let exact = query.map(|query| format!("{path}?{query}"));
        if let Some(exact) = exact
            && let Some(named) = all().find_map(|names| names.get(&exact))
        {
            return Some(match named.clone() {
                Named::File(file) => Named::File(File { how: How::Exact, ..file }),
                playlist => playlist,
            });
        }
        let named = all().find_map(|names| names.get(path))?;
        let asks_for_version =
            query.is_some_and(|query| query.split('&').any(|pair| pair.starts_with("v=")));
        match (named, query) {
            (Named::File(file), Some(version)) if asks_for_version => {
                if !keeps_older || !is_version(version) {
                    return None;
                }
                let mut url = Url::parse(&file.address).ok()?;
                url.set_query(Some(version));
                Some(Named::File(File { how: How::Older, ..File::beside(url.as_str()) }))
            }
            (named, _) => Some(named.clone()),
        }
    }
}

/// Reads a page as the playlist that is served at `path`, on a thread that may take its time: each of
/// its addresses is looked at.
pub(super) async fn read(
    path: &str,
    page: Page,
    before: Option<Arc<Loaded>>,
    above: Option<Arc<Loaded>>,
) -> Result<Loaded, StoreError> {
    let path = path.to_owned();
    let read = move || Loaded::new(&path, page, before.as_deref(), above.as_deref());
    let read = spawn_blocking(read).await;
    read.unwrap_or_else(|_| Err(unfit("reading it failed")))
}

/// What a restart needs to know of a finished playlist: it and its address.
pub(super) async fn remember(edge: &CachedStore, address: &str, loaded: &Loaded) {
    if loaded.is_live() || loaded.tag.passing || loaded.page.text.len() > KEPT_MAX {
        return;
    }
    let Ok(kept) = serde_json::to_vec(&(&loaded.page.address, &loaded.page.text)) else { return };
    if let Err(error) = edge.keep_text(address, kept.into()).await {
        tracing::debug!(%error, "A playlist cannot be kept.");
    }
}

/// A playlist that was remembered.
pub(super) async fn recall(
    edge: &CachedStore,
    path: &str,
    address: &str,
    above: Option<Arc<Loaded>>,
) -> Option<Loaded> {
    let kept = edge.kept_text(address).await?;
    let (address, text) = serde_json::from_slice(&kept).ok()?;
    read(path, Page { address, text, tag: Tag::default() }, None, above).await.ok()
}

#[derive(Default)]
struct Reading {
    names: Names,
    segments: Vec<String>,
    children: Vec<(String, String)>,
    /// The paths of those.
    known: HashSet<String>,
    address_bytes: usize,
    init: Option<Arc<str>>,
    first: Option<Arc<str>>,
    last: Option<String>,
    wrong: bool,
}

impl Reading {
    /// Gives a reference its name; answers its address as it is served.
    fn name(
        &mut self,
        from: &str,
        base: &Url,
        written: &str,
        reference: &Reference,
        turn: u64,
    ) -> Option<String> {
        // A playlist with parts is served without them, as an ordinary one.
        if matches!(reference.role, Role::Hint | Role::Part) {
            return None;
        }
        if reference.role == Role::Key && !written.starts_with("http") && written.contains(':') {
            // A key inside its address is in nobody's folder.
            self.wrong |= !written.starts_with("data:");
            return Some(written.to_owned());
        }
        let url = base.join(written).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let Some(mut url) = url else {
            self.wrong = true;
            return None;
        };
        url.set_fragment(None);
        self.address_bytes += url.as_str().len();
        if self.address_bytes > MAX_ADDRESS_BYTES {
            return None;
        }
        let (path, query, served) = match inside(from, written) {
            Some((path, query)) => (path, query, written.to_owned()),
            None => elsewhere(from, &url, reference.role),
        };
        let key = query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
        let address: Arc<str> = url.as_str().into();
        let named = match reference.role {
            Role::Child => {
                if self.children.len() < MAX_CHILDREN && self.known.insert(path.clone()) {
                    self.children.push((path.clone(), url.into()));
                }
                Named::Playlist(address.to_string())
            }
            role => {
                if role == Role::Segment {
                    self.follow(&key, &address, turn);
                    self.segments.push(path.clone());
                    self.first.get_or_insert_with(|| address.clone());
                } else if role == Role::Init {
                    self.init.get_or_insert_with(|| address.clone());
                }
                Named::File(File { address, turn, next: None, how: How::Plain })
            }
        };
        // Parts of one file have one name.
        self.names.entry(key).or_insert_with(|| named.clone());
        self.names.entry(path).or_insert(named);
        Some(served)
    }

    /// Notes what is played after the last segment.
    fn follow(&mut self, key: &str, address: &Arc<str>, turn: u64) {
        if let Some(last) = self.last.replace(key.to_owned()).filter(|last| last != key)
            && let Some(Named::File(file)) = self.names.get_mut(&last)
        {
            file.next = Some((address.clone(), turn));
        }
    }
}

/// The text without the tags that promise parts of segments.
fn without_parts(text: String) -> String {
    const TAGS: [&str; 2] = ["#EXT-X-SERVER-CONTROL", "#EXT-X-PART-INF"];
    if !TAGS.iter().any(|tag| text.contains(tag)) {
        return text;
    }
    let lines = text.split_inclusive('\n');
    lines.filter(|line| !TAGS.iter().any(|tag| line.starts_with(tag))).collect()
}

/// Path and query of an address that stays as it came: below the channel's own folder, and with no
/// more behind it than a version.
fn inside(from: &str, written: &str) -> Option<(String, Option<String>)> {
    let (address, query) = match written.split_once('?') {
        Some((address, query)) => (address, Some(query)),
        None => (written, None),
    };
    let is_plain = !written.contains('#') && query.is_none_or(is_version);
    let is_ours = |path: &str| OWN.contains(&path) || is_elsewhere(path);
    if !is_plain || is_elsewhere(from) {
        return None;
    }
    let path = resolve(from, address).ok()?.path;
    (!is_ours(&path)).then(|| (path, query.map(str::to_owned)))
}

/// Path, query and address of what lies elsewhere, or is asked for with more than a version. The name
/// is that of the address; what stands behind a question mark has a name of its own, since it may
/// change from one reading to the next.
fn elsewhere(from: &str, url: &Url, role: Role) -> (String, Option<String>, String) {
    let mut plain = url.clone();
    plain.set_query(None);
    let extension = match role {
        Role::Child => Some("m3u8"),
        _ => media_type::extension(plain.path())
            .filter(|extension| media_type::of(&format!("x.{extension}")) != media_type::OTHER),
    };
    let extension = extension.map(|extension| format!(".{extension}")).unwrap_or_default();
    let path = format!("{ELSEWHERE}/{}{extension}", short(plain.as_str()));
    let mut served = encoded(from, &path);
    let query = url.query().map(|_| format!("k={}", short(url.as_str())));
    if let Some(query) = &query {
        served.push('?');
        served.push_str(query);
    }
    (path, query, served)
}

fn is_elsewhere(path: &str) -> bool {
    path.split('/').next() == Some(&encode_segment(ELSEWHERE))
}

/// `v=` as another Carrete writes it.
fn is_version(query: &str) -> bool {
    query.strip_prefix("v=").is_some_and(|version| {
        !version.is_empty() && version.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    })
}

fn short(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
}

fn unfit(why: &str) -> StoreError {
    StoreError::Refused(Refusal {
        what: format!("its playlist cannot be read: {why}"),
        fix: "mend it there".into(),
    })
}

#[cfg(test)]
mod tests;
