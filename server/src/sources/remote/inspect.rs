//! A look at one name of another server's list: what its playlist says, or what is inside its file.

use std::{sync::Arc, time::Duration};

use tokio::{runtime::Handle, task::spawn_blocking, time::timeout};

use super::{
    RemoteConfig, autoindex,
    channel::{Loaded, RemoteChannel},
    record::{Raw, RemoteRecord},
};
use crate::{
    cache::CachedStore,
    catalog::{
        metadata, name,
        problem::{Problem, Whereabouts},
        record::{Location, PLAYLIST, POSTERS},
        remark::Remark,
    },
    hls::media_type,
    probe::{self, Media, Probe},
    sources::{files::Files, folder::best_variant, range_reader::RangeReader, single_file},
    storage::{StoreError, local::FileVersion},
};

/// A look inside the media takes no longer: what plays is listed without what that would have told.
const INSIDE: Duration = Duration::from_secs(8);

/// Looks at a name; `None` where there is nothing that concerns us.
pub(super) async fn look_at(
    origin: &RemoteConfig,
    name: &str,
    raw: &Raw,
) -> Result<Option<RemoteRecord>, Problem> {
    let told = match raw {
        Raw::Whole(told) => made_of(origin, told).await.map(|(told, _)| Some(told)),
        Raw::LeftOut { reason, .. } => Err(reason.clone()),
        Raw::Named(told) if told.bare => looked_into(origin, told).await.map(Some),
        Raw::Named(told) => {
            let (mut told, seen) = made_of(origin, told).await?;
            if let Some(seen) = seen {
                probed(origin, &mut told, &seen).await;
            }
            Ok(Some(told))
        }
        Raw::Folder { address, .. } => {
            name::id(name)?;
            folder(origin, name, address).await
        }
        Raw::File { address, .. } => {
            name::id(name.rsplit_once('.').map_or(name, |(stem, _)| stem))?;
            file(origin, name, address).await.map(Some)
        }
    };
    told.map(|told| told.filter(|told| told.kind == origin.kind))
}

/// A channel of a long list, as that tells of it: nobody looks.
pub(super) fn unseen(
    origin: &RemoteConfig,
    told: &RemoteRecord,
    before: Option<&RemoteChannel>,
) -> Result<Option<RemoteRecord>, Problem> {
    believed(told, before).map(|told| Some(told).filter(|told| told.kind == origin.kind))
}

/// A channel as a list tells of it, and what it is made of.
async fn made_of(
    origin: &RemoteConfig,
    told: &RemoteRecord,
) -> Result<(RemoteRecord, Option<Inspection>), Problem> {
    is_named_well(told)?;
    let mut told = told.clone();
    if told.bare {
        let found = origin.edge.look(&told.address).await.map_err(|e| reason(&told.name, &e))?;
        is_something(&told.name, found.stamp)?;
        told.size = Some(found.stamp.size);
        return Ok((told, None));
    }
    let distant = RemoteChannel::new(origin.edge.clone(), told.address.clone(), false, None);
    let seen = Inspection::of(&distant).await.map_err(|error| reason(PLAYLIST, &error))?;
    seen.tell(&mut told);
    Ok((told, Some(seen)))
}

/// A channel as a list tells of it. Somebody may have watched it meanwhile.
fn believed(told: &RemoteRecord, before: Option<&RemoteChannel>) -> Result<RemoteRecord, Problem> {
    is_named_well(told)?;
    let mut told = told.clone();
    let known =
        before.filter(|before| before.address == told.address).and_then(RemoteChannel::known);
    if let Some(known) = known.filter(|known| known.playlist.ended) {
        (told.live, told.duration_s) = (false, Some(known.playlist.duration_s));
    }
    Ok(told)
}

fn is_named_well(told: &RemoteRecord) -> Result<(), Problem> {
    let stem = told.name.rsplit_once('.').filter(|_| told.bare);
    name::id(stem.map_or(&told.name, |(stem, _)| stem)).map(drop)
}

/// A folder that a web server shows.
async fn folder(
    origin: &RemoteConfig,
    name: &str,
    address: &str,
) -> Result<Option<RemoteRecord>, Problem> {
    let edge = &origin.edge;
    let page = edge.page(address, None).await.map_err(|error| reason(name, &error))?;
    let Some(entries) = page.and_then(|page| autoindex::read(&page)) else { return Ok(None) };
    let files: Vec<_> = entries.into_iter().filter(|entry| !entry.folder).collect();
    let at = |name: &str| files.iter().find(|entry| entry.name == name);
    let mut lists = files.iter().filter(|entry| entry.name.ends_with(".m3u8"));
    // Others call it otherwise; of several only one can be meant.
    let only = lists.next().filter(|_| lists.next().is_none());
    let list = at(PLAYLIST).or_else(|| at("master.m3u8")).or_else(|| at("index.m3u8")).or(only);
    let Some(list) = list else { return Ok(None) };

    let mut told = RemoteRecord::new(name, &list.address, origin.kind);
    let distant = RemoteChannel::new(edge.clone(), list.address.clone(), false, None);
    let seen = Inspection::of(&distant).await.map_err(|error| reason(&list.name, &error))?;
    seen.tell(&mut told);
    told.updated_at = seen.updated_at;
    // In this list nothing says what it is but the media itself.
    probed(origin, &mut told, &seen).await;
    if let Some(about) = at("channel.toml") {
        let page = edge.page(&about.address, None).await.map_err(|e| reason(&about.name, &e))?;
        match page.map(|page| metadata::parse(&page.text)) {
            Some(Ok(about)) if about.is_hidden() => return Ok(None),
            Some(Ok(about)) => {
                (told.title, told.description) = (about.title, about.description);
                (told.tags, told.order) = (about.tags, about.order);
            }
            // Nobody can know whether it is hidden.
            Some(Err(why)) => return Err(Problem::About { file: about.name.clone(), why }),
            None => {}
        }
    }
    if let Some(poster) = POSTERS.into_iter().find_map(at) {
        told.beside.push((POSTERS[0].to_owned(), poster.address.clone()));
    }
    for file in &files {
        if let Some(lang) = file.name.strip_suffix(".vtt").and_then(probe::vtt::language) {
            told.subtitles.push((lang, file.name.clone()));
            told.beside.push((file.name.clone(), file.address.clone()));
        }
    }
    told.subtitles.sort();
    Ok(Some(told))
}

/// A media file of a list that says little of it.
async fn looked_into(origin: &RemoteConfig, told: &RemoteRecord) -> Result<RemoteRecord, Problem> {
    let (mut told, _) = made_of(origin, told).await?;
    // What does not let itself be looked into in time is what its name says.
    let inside = timeout(INSIDE, file(origin, &told.name, &told.address)).await;
    let Ok(seen) = inside else { return Ok(told) };
    let seen = seen?;
    (told.mime, told.codecs, told.remarks) = (seen.mime, seen.codecs, seen.remarks);
    (told.width, told.height) = (seen.width, seen.height);
    told.duration_s = seen.duration_s.or(told.duration_s);
    Ok(told)
}

/// A media file that a web server shows.
async fn file(origin: &RemoteConfig, name: &str, address: &str) -> Result<RemoteRecord, Problem> {
    let found = origin.edge.look(address).await.map_err(|error| reason(name, &error))?;
    is_something(name, found.stamp)?;
    let mut files = OneFile {
        edge: origin.edge.clone(),
        runtime: Handle::current(),
        address: address.to_owned(),
        stamp: found.stamp,
    };
    let file = name.to_owned();
    let read = spawn_blocking(move || single_file::read(&mut files, &file, &mut None).record).await;
    let record = read.map_err(|_| Problem::Panicked)??;
    let remembered = |remark: &Remark| remark.remembered(Whereabouts::Server, name, false);
    Ok(RemoteRecord {
        remarks: record.remarks.iter().map(remembered).collect(),
        bare: true,
        title: record.about.title,
        description: record.about.description,
        mime: record.mime,
        codecs: record.codecs,
        duration_s: record.duration_s,
        width: record.width,
        height: record.height,
        updated_at: record.updated_at,
        size: Some(found.stamp.size),
        ..RemoteRecord::new(name, address, record.kind)
    })
}

/// As on this host, a file without a byte is missing.
fn is_something(name: &str, stamp: FileVersion) -> Result<(), Problem> {
    match stamp.size {
        0 => Err(Problem::Missing { first: name.to_owned(), count: 1 }),
        _ => Ok(()),
    }
}

/// What the playlists of a channel say.
struct Inspection {
    named: Option<String>,
    live: bool,
    duration_s: Option<f64>,
    updated_at: u64,
    variant: Option<Probe>,
    sample: Option<Arc<str>>,
}

impl Inspection {
    async fn of(distant: &RemoteChannel) -> Result<Self, StoreError> {
        let main = distant.main().await?;
        let media: Vec<Arc<Loaded>> =
            if main.playlist.master { distant.children(&main).await? } else { vec![main.clone()] };
        if media.is_empty() {
            return Err(StoreError::Away("its playlists cannot be read".into()));
        }
        let live = media.iter().any(|loaded| loaded.is_live());
        let lengths = media.iter().map(|loaded| loaded.playlist.duration_s);
        let modified = main.tag.modified.as_deref().and_then(|t| httpdate::parse_http_date(t).ok());
        let since = modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let best = best_variant(&main.playlist).map(|at| &main.playlist.variants[at]);
        Ok(Self {
            // A live window moves: such a channel is like no other.
            named: (!live).then(|| named_of(&media)),
            live,
            duration_s: Some(lengths.fold(0.0, f64::max)),
            updated_at: since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0)),
            variant: best.and_then(Probe::of_variant),
            sample: media.iter().find_map(|loaded| loaded.sample.clone()),
        })
    }

    fn tell(&self, told: &mut RemoteRecord) {
        told.named.clone_from(&self.named);
        told.live = self.live;
        told.duration_s = self.duration_s.filter(|_| !self.live);
    }
}

/// As for a folder of this host: durations and names.
fn named_of(media: &[Arc<Loaded>]) -> String {
    let mut hasher = blake3::Hasher::new();
    for loaded in media {
        for segment in loaded.playlist.references.iter().filter(|named| named.is_segment()) {
            hasher.update(&segment.duration_s.to_le_bytes());
        }
        for segment in &loaded.segments {
            hasher.update(segment.as_bytes()).update(&[0]);
        }
    }
    hasher.finalize().to_hex().to_string()
}

/// Kind, size and codecs, as the playlist or the first of the media tells.
async fn probed(origin: &RemoteConfig, told: &mut RemoteRecord, seen: &Inspection) {
    let probe = match (&seen.variant, &seen.sample) {
        (Some(variant), _) => Some(variant.clone()),
        (None, Some(sample)) => timeout(INSIDE, inside(&origin.edge, sample)).await.ok().flatten(),
        (None, None) => None,
    };
    let Some(probe) = probe else { return };
    told.kind = probe.kind.unwrap_or(told.kind);
    (told.width, told.height) = (probe.width, probe.height);
    told.mime = probe::mime(media_type::PLAYLIST, &probe.codecs);
    if let Some(trouble) = probe.trouble {
        let remark = Remark::of_trouble(trouble, &probe.codecs);
        told.remarks.push(remark.remembered(Whereabouts::Server, &told.name, true));
    }
    told.codecs = probe.codecs;
}

async fn inside(edge: &CachedStore, address: &Arc<str>) -> Option<Probe> {
    let stamp = edge.look(address).await.ok()?.stamp;
    let (edge, runtime, address) = (edge.clone(), Handle::current(), address.to_string());
    let look = move || {
        let media = RangeReader::new(edge, runtime, address.clone(), stamp);
        probe::look_into(Box::new(media), stamp.size, &address)
    };
    spawn_blocking(look).await.ok().flatten()
}

/// One file of another server, looked at as one of this host.
struct OneFile {
    edge: CachedStore,
    runtime: Handle,
    address: String,
    stamp: FileVersion,
}

impl Files for OneFile {
    fn location(&self) -> Location {
        super::location_at(&self.edge, self.address.clone())
    }

    fn stat(&mut self, _: &str) -> Result<Option<FileVersion>, Problem> {
        Ok(Some(self.stamp))
    }

    fn aside(&mut self, _: &str) -> Result<Option<FileVersion>, Problem> {
        Ok(None)
    }

    fn text(&mut self, _: &str, _: u64) -> Result<Option<(String, FileVersion)>, Problem> {
        Ok(None)
    }

    fn text_aside(&self, _: &str, _: u64) -> Result<String, String> {
        Err("there is none".into())
    }

    fn names(&self) -> Result<Vec<String>, Problem> {
        Ok(Vec::new())
    }

    fn composed(&mut self, _: &str) -> Result<Option<String>, Problem> {
        Ok(None)
    }

    fn media(&self, _: &str) -> Result<Option<(Media, u64)>, Problem> {
        let (edge, runtime) = (self.edge.clone(), self.runtime.clone());
        let reader = RangeReader::new(edge, runtime, self.address.clone(), self.stamp);
        Ok(Some((Box::new(reader), self.stamp.size)))
    }
}

pub(super) fn reason(file: &str, error: &StoreError) -> Problem {
    match error {
        StoreError::Gone => Problem::Missing { first: file.to_owned(), count: 1 },
        StoreError::Refused(refusal) => Problem::Refused(refusal.clone()),
        other => Problem::Unreadable { file: file.to_owned(), why: other.to_string() },
    }
}
