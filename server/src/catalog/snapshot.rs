//! One state of the list, built once and shared: media objects in feed order, what they look like
//! in JSON, and where each address leads.

use std::{
    collections::HashMap,
    ffi::OsString,
    sync::{Arc, OnceLock},
};

use app::catalog::{ChannelId, Media, Order, Subtitle, encode_segment};
use bytes::Bytes;

use super::{
    artifacts::{ArtifactIndex, ArtifactKeys, Artifacts},
    ids::{Named, name_all},
    name,
    order::{Orders, Places},
    problem::Problem,
    record::ChannelRecord,
    remark::Remark,
    search::{Index, Only, Tags},
    source_list::SourceList,
    tagged::Tagged,
};
use crate::{probe, storage::local::FileVersion};

/// Nothing is longer, in seconds, whatever is said of it: ten years.
const LONGEST_S: f64 = 315_576_000.0;

/// One state of the list. Cheap to share, never changed.
#[derive(Debug, Default)]
pub struct Snapshot {
    list: Arc<List>,
    /// In feed order; empty in a snapshot that was made from media objects alone.
    entries: Vec<Arc<ListedChannel>>,
    troubles: Vec<String>,
    reasons: Vec<String>,
    partial: bool,
}

/// The part of a snapshot that stays while only a live playlist grows.
#[derive(Debug, Default)]
struct List {
    media: Vec<Arc<Media>>,
    json: Vec<Bytes>,
    positions: HashMap<ChannelId, usize>,
    /// First segment of the address below `/streams/`, decoded and in NFC.
    addresses: HashMap<String, usize>,
    version: String,
    ids: OnceLock<Tagged>,
    videos: OnceLock<Tagged>,
    orders: Orders,
    index: Index,
}

/// One channel of the list.
#[derive(Debug)]
pub(crate) struct ListedChannel {
    pub(crate) media: Arc<Media>,
    pub(crate) json: Bytes,
    pub(crate) record: Arc<ChannelRecord>,
    /// What is made of it is kept under these,
    pub(crate) keys: ArtifactKeys,
    /// and this is there.
    pub(crate) artifacts: Artifacts,
    /// The name in its source.
    pub(crate) name: OsString,
    /// First segment of its address below `/streams/`, decoded and in NFC.
    address: String,
}

impl Snapshot {
    /// All media objects in feed order.
    pub fn media(&self) -> &[Arc<Media>] {
        &self.list.media
    }

    /// Changes when the list as people see it changes, and not because a live playlist grew.
    pub fn version(&self) -> &str {
        &self.list.version
    }

    /// What is wrong with sources, a sentence each.
    pub fn troubles(&self) -> &[String] {
        &self.troubles
    }

    /// What is wrong with sources, a word each: `bucket_away`, `video_incomplete`.
    pub fn reasons(&self) -> &[String] {
        &self.reasons
    }

    /// Whether a source has not said anything yet.
    pub fn is_partial(&self) -> bool {
        self.partial
    }

    /// How many channels there are.
    pub fn len(&self) -> usize {
        self.list.media.len()
    }

    /// Whether there is no channel.
    pub fn is_empty(&self) -> bool {
        self.list.media.is_empty()
    }

    /// One media object.
    pub fn get(&self, id: &ChannelId) -> Option<&Arc<Media>> {
        self.position(id).map(|at| &self.list.media[at])
    }

    /// Place of a channel in the feed, from 0.
    pub fn position(&self, id: &ChannelId) -> Option<usize> {
        self.list.positions.get(id).copied()
    }

    /// The channels in another order than the feed's.
    pub(crate) fn places(&self, order: Order) -> Arc<Places> {
        self.list.orders.places(&self.list.media, order)
    }

    /// Places in `order`, from 0, with their channels: those that `query` and `only` ask for.
    pub fn find(&self, order: Order, query: &str, only: Only<'_>) -> Vec<(usize, &Arc<Media>)> {
        let places = self.places(order);
        let found = self.list.index.find(&self.list.media, &places, query, only);
        self.placed(&places, found)
    }

    /// The `count` channels nearest to a query that finds nothing, the nearest first: by letters, by
    /// tags, by time; each with its place in `order`.
    pub fn near(&self, order: Order, query: &str, count: usize) -> Vec<(usize, &Arc<Media>)> {
        let places = self.places(order);
        let near = self.list.index.near(&self.list.media, &places, query, count);
        self.placed(&places, near)
    }

    /// Tags that look like a word of a query, the most used first.
    pub fn tags_like(&self, query: &str) -> Vec<&str> {
        self.list.index.tags_like(&self.list.media, query)
    }

    fn placed(&self, places: &Places, indexes: Vec<u32>) -> Vec<(usize, &Arc<Media>)> {
        let indexes = indexes.into_iter().map(|n| n as usize);
        indexes.filter_map(|n| Some((places.place(n)?, self.list.media.get(n)?))).collect()
    }

    /// What there is to choose from.
    pub fn tags(&self) -> &Tags {
        self.list.index.tags(&self.list.media)
    }

    /// A list of these objects, in this order, with no files behind them: for the tests of others.
    pub fn of_media(media: Vec<Media>) -> Self {
        let media: Vec<_> = media.into_iter().map(Arc::new).collect();
        let json = media.iter().map(|media| json_of(media)).collect();
        let posters = vec![None; media.len()];
        let list = Arc::new(List::new(media, json, HashMap::new(), &posters));
        Self { list, ..Self::default() }
    }

    /// The channel at the first segment of an address below `/streams/`.
    pub(crate) fn at_address(&self, first: &str) -> Option<&Arc<ListedChannel>> {
        self.list.addresses.get(first).and_then(|at| self.entries.get(*at))
    }

    /// The channel of this id.
    pub(crate) fn entry(&self, id: &ChannelId) -> Option<&Arc<ListedChannel>> {
        self.position(id).and_then(|at| self.entries.get(at))
    }

    /// One media object in JSON.
    pub(crate) fn json(&self, id: &ChannelId) -> Option<Bytes> {
        self.position(id).map(|at| self.list.json[at].clone())
    }

    /// The ids as a JSON array.
    pub(crate) fn ids_json(&self) -> &Tagged {
        self.list.ids.get_or_init(|| {
            let ids: Vec<&str> = self.list.media.iter().map(|media| media.id.as_str()).collect();
            Tagged::new(serde_json::to_vec(&ids).unwrap_or_default().into())
        })
    }

    /// All media objects as a JSON array.
    pub(crate) fn videos_json(&self) -> &Tagged {
        self.list.videos.get_or_init(|| Tagged::list(&self.list.json))
    }

    /// Whether both texts are made already.
    pub(crate) fn is_told(&self) -> bool {
        self.list.ids.get().is_some() && self.list.videos.get().is_some()
    }

    /// A part of the media objects as a JSON array. Of the same bytes as all of them: each who asks
    /// for nearly all, and takes it slowly, holds none of his own.
    pub(crate) fn part_json(&self, offset: usize, limit: usize) -> Tagged {
        let end = offset.saturating_add(limit).min(self.len());
        self.videos_json().part(&self.list.json, offset..end)
    }

    /// The channel's record, for those who judge it.
    pub(crate) fn entries(&self) -> &[Arc<ListedChannel>] {
        &self.entries
    }

    /// Whether both tell the same list: only files behind it may differ.
    pub(crate) fn same_list(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.list, &other.list)
    }

    /// Puts together what each source has, in their order, reusing of `before` what
    /// stayed. Also answers the names that clash.
    pub(crate) fn assemble(
        lists: &[Arc<SourceList>],
        made: &ArtifactIndex,
        before: &Self,
    ) -> (Self, Vec<(OsString, Problem)>) {
        let (named, clashes) = name_all(lists);
        let troubles: Vec<_> = lists.iter().filter_map(|list| list.trouble.clone()).collect();
        let reasons = lists.iter().filter_map(|list| reason_of(list)).collect();
        let partial = lists.iter().any(|list| !list.heard);
        let made = made.read();
        let mut entries: Vec<_> = named
            .into_iter()
            .map(|named| {
                let old = before.position(&named.id).and_then(|at| before.entries.get(at));
                ListedChannel::reusing(old, named, |keys| made.channel(keys))
            })
            .collect();
        drop(made);
        entries.sort_by(|a, b| {
            let place = |entry: &ListedChannel| entry.record.about.order.unwrap_or(f64::INFINITY);
            place(a)
                .total_cmp(&place(b))
                .then_with(|| name::natural(a.media.id.as_str(), b.media.id.as_str()))
        });
        let same = entries.len() == before.entries.len()
            && entries.iter().zip(&before.entries).all(|(new, old)| {
                Arc::ptr_eq(&new.media, &old.media) && poster_of(new) == poster_of(old)
            });
        // An empty list has to be made once too: it has a version.
        if same && !before.list.version.is_empty() {
            let list = before.list.clone();
            return (Self { list, entries, troubles, reasons, partial }, clashes);
        }
        let addresses = entries.iter().enumerate().map(|(at, entry)| (entry.address.clone(), at));
        let addresses = addresses.collect();
        let posters: Vec<_> = entries.iter().map(|entry| poster_of(entry)).collect();
        let media = entries.iter().map(|entry| entry.media.clone()).collect();
        let json = entries.iter().map(|entry| entry.json.clone()).collect();
        let list = Arc::new(List::new(media, json, addresses, &posters));
        (Self { list, entries, troubles, reasons, partial }, clashes)
    }
}

impl List {
    fn new(
        media: Vec<Arc<Media>>,
        json: Vec<Bytes>,
        addresses: HashMap<String, usize>,
        posters: &[Option<String>],
    ) -> Self {
        let positions = media.iter().enumerate().map(|(at, m)| (m.id.clone(), at)).collect();
        let mut hasher = blake3::Hasher::new();
        for (media, poster) in media.iter().zip(posters) {
            let duration = media.duration_s.filter(|_| !media.live);
            let told = (&media.id, &media.title, media.kind, &media.poster, poster);
            let told = (told, &media.subtitles, duration, media.live, &media.waveform);
            let told = (told, media.available);
            hasher.update(&serde_json::to_vec(&told).unwrap_or_default());
        }
        let version = hasher.finalize().to_hex()[..16].to_owned();
        Self { media, json, positions, addresses, version, ..Self::default() }
    }
}

impl ListedChannel {
    fn reusing(
        old: Option<&Arc<Self>>,
        named: Named,
        made_of: impl FnOnce(&ArtifactKeys) -> Artifacts,
    ) -> Arc<Self> {
        let Named { id, name, address, record, available } = named;
        let same = old.filter(|old| {
            Arc::ptr_eq(&old.record, &record)
                && old.name == name
                && old.address == address
                && old.media.available == available
        });
        let keys = same.map_or_else(|| ArtifactKeys::of(&name, &record), |old| old.keys.clone());
        let made = made_of(&keys);
        if let Some(old) = same.filter(|old| old.artifacts == made) {
            return old.clone();
        }
        let media = Media { available, ..media_of(id, &address, &record, &made) };
        let (media, json) = match old {
            Some(old) if *old.media == media => (old.media.clone(), old.json.clone()),
            _ => {
                let json = json_of(&media);
                (Arc::new(media), json)
            }
        };
        Arc::new(Self { media, json, record, keys, artifacts: made, name, address })
    }
}

fn media_of(id: ChannelId, address: &str, record: &ChannelRecord, made: &Artifacts) -> Media {
    let base = format!("/streams/{}", encode_segment(address));
    // What was made belongs to the channel, and not to the file that it is.
    let own = |name: &str| format!("/streams/{}/{name}", id.encoded());
    let poster = record.poster.is_some() || made.poster.is_some();
    let waveform = made.waveform.is_some() || record.beside.contains_key("waveform.json");
    Media {
        title: record.about.title.clone().unwrap_or_else(|| id.to_string()),
        description: record.about.description.clone(),
        kind: record.kind,
        source: record.location.origin,
        url: if record.bare { base.clone() } else { format!("{base}/{}", record.main) },
        mime: record.mime.clone(),
        duration_s: record.duration_s.filter(|seconds| (0.0..=LONGEST_S).contains(seconds)),
        width: record.width,
        height: record.height,
        poster: poster.then(|| own("poster.webp")),
        thumbhash: made.thumbhash.as_deref().or(record.thumbhash.as_deref()).map(str::to_owned),
        waveform: waveform.then(|| own("waveform.json")),
        subtitles: record
            .subtitles
            .iter()
            .map(|(lang, file)| Subtitle {
                lang: lang.clone(),
                // A bare file has no folder that could hold them.
                url: if record.bare {
                    own(&format!("{}.vtt", encode_segment(lang)))
                } else {
                    format!("{base}/{}", encode_segment(file))
                },
            })
            .collect(),
        storyboard: None,
        live: record.live,
        available: true,
        tags: record.about.tags.clone(),
        updated_at: record.updated_at,
        order: record.about.order,
        format: probe::format(&record.codecs)
            .or_else(|| record.remarks.iter().find_map(Remark::format).map(str::to_owned)),
        id,
    }
}

/// What is wrong with a source, as whoever asks for the server's health is told: neither whose it is
/// nor where.
fn reason_of(list: &SourceList) -> Option<String> {
    list.trouble.as_ref()?;
    let how = if list.available { "incomplete" } else { "away" };
    Some(format!("{}_{how}", list.id.word()))
}

/// The version of the poster, given or made.
fn poster_of(entry: &ListedChannel) -> Option<String> {
    let given = entry.record.poster.as_deref().and_then(|poster| entry.record.file(poster));
    let made = || entry.artifacts.poster.as_ref().map(|file| file.stamp);
    given.map(|file| file.stamp).or_else(made).map(FileVersion::version)
}

/// A media object is plain data with text keys, which JSON always holds.
fn json_of(media: &Media) -> Bytes {
    serde_json::to_vec(media).unwrap_or_default().into()
}
