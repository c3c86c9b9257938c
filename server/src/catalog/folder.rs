//! A folder with a playlist, read into [`Facts`]: its playlists, the files they name, and what
//! lies beside them.

use std::collections::HashMap;

use app::catalog::Kind;
use bytes::Bytes;

use super::{
    about::{self, About},
    facts::{Content, Facts, FileOffer, Offer, PLAYLIST, POSTERS, Place, ServedPlaylist, etag_of},
    files::Files,
    probe::{self, Probe, Probed},
    reason::Reason,
};
use crate::{
    hls::{
        address::{Inside, resolve},
        media_type,
        playlist::{self, Playlist, Role},
        render::{Found, render},
    },
    storage::disk::Stamp,
};

/// More playlists than this in one channel are a mistake.
const MAX_CHILDREN: usize = 64;

/// What was read of a channel.
pub(crate) struct Read {
    /// The channel, or why there is none.
    pub(crate) facts: Result<Facts, Reason>,
    /// What `channel.toml` has wrong.
    pub(crate) about_error: Option<String>,
}

/// Reads the folder. `before` is the channel as it was, if it was listed; `probed` remembers what
/// was found inside its media.
pub(crate) fn read(
    files: &mut dyn Files,
    before: Option<&Facts>,
    probed: &mut Option<Probed>,
) -> Read {
    let mut about_error = None;
    let facts = read_about(files, &mut about_error).and_then(|about| {
        let (offers, behind) = (HashMap::new(), HashMap::new());
        let content = [blake3::Hasher::new(), blake3::Hasher::new()];
        Reading { files, before, offers, behind, content }.facts(about, probed)
    });
    Read { facts, about_error }
}

fn read_about(files: &mut dyn Files, wrong: &mut Option<String>) -> Result<(About, u64), Reason> {
    const NAME: &str = "channel.toml";
    let Some(stamp) = files.aside(NAME)? else { return Ok((About::default(), 0)) };
    let read = files.text_aside(NAME, about::MAX_BYTES);
    let about = read.and_then(|text| about::parse(&text)).unwrap_or_else(|why| {
        *wrong = Some(why);
        About::default()
    });
    Ok((about, stamp.modified_ms()))
}

/// One playlist of the channel.
struct Loaded {
    path: String,
    text: String,
    stamp: Stamp,
    playlist: Playlist,
}

struct Reading<'a> {
    files: &'a mut dyn Files,
    before: Option<&'a Facts>,
    offers: HashMap<Box<str>, Offer>,
    behind: HashMap<Box<str>, Box<str>>,
    /// Names and durations; sizes.
    content: [blake3::Hasher; 2],
}

impl Reading<'_> {
    fn facts(
        &mut self,
        (about, about_ms): (About, u64),
        probed: &mut Option<Probed>,
    ) -> Result<Facts, Reason> {
        let main = self.load(PLAYLIST)?.ok_or(Reason::NoPlaylist)?;
        let children = self.children(&main)?;
        let media: Vec<&Loaded> =
            if main.playlist.master { children.iter().collect() } else { vec![&main] };
        let live = media.iter().any(|loaded| !loaded.playlist.ended);
        let mut sample = None;
        for loaded in &media {
            let found = self.find(loaded, live)?;
            if sample.is_none() {
                sample = sample_of(loaded, &found);
            }
            self.compare(loaded, &found);
            self.serve(loaded, &found);
        }
        if main.playlist.master {
            let found = vec![Found::default(); main.playlist.references.len()];
            self.serve(&main, &found);
        }

        let best = best_variant(&main.playlist);
        let from_master = best.and_then(|at| Probe::of_variant(&main.playlist.variants[at]));
        let sampled = match (&from_master, sample) {
            (Some(_), _) | (None, None) => None,
            (None, Some(path)) => {
                let stamp = self.files.stat(&path)?;
                probe::cached(self.files, &path, stamp, live, probed)?
            }
        };
        let probe = from_master.or(sampled).unwrap_or_default();

        let (poster, subtitles, beside_ms) = self.beside()?;
        let main_ms = main.stamp.modified_ms();
        let updated_at = match self.before {
            Some(before) if before.live && live => before.updated_at,
            _ => main_ms.max(about_ms).max(beside_ms),
        };
        let [named, sized] = self.content.each_ref().map(blake3::Hasher::finalize);
        Ok(Facts {
            place: self.files.place(),
            content: Content { named, sized: Some(sized) },
            behind: std::mem::take(&mut self.behind),
            main: PLAYLIST.into(),
            bare: false,
            files: std::mem::take(&mut self.offers),
            poster,
            subtitles,
            about,
            kind: probe.kind.unwrap_or(Kind::Video),
            mime: probe::mime(media_type::PLAYLIST, &probe.codecs),
            codecs: probe.codecs,
            duration_s: (!live)
                .then(|| media.iter().map(|loaded| loaded.playlist.duration_s).fold(0.0, f64::max)),
            width: probe.width,
            height: probe.height,
            live,
            updated_at,
        })
    }

    fn load(&mut self, path: &str) -> Result<Option<Loaded>, Reason> {
        let Some((text, stamp)) = self.files.text(path, playlist::MAX_BYTES)? else {
            return Ok(None);
        };
        let playlist = playlist::parse(&text)
            .map_err(|why| Reason::Broken { file: path.into(), why: why.to_string() })?;
        Ok(Some(Loaded { path: path.into(), text, stamp, playlist }))
    }

    fn children(&mut self, main: &Loaded) -> Result<Vec<Loaded>, Reason> {
        let mut children: Vec<Loaded> = Vec::new();
        for reference in &main.playlist.references {
            let address = &main.text[reference.span.clone()];
            let inside = resolved(&main.path, address)?;
            if reference.role != Role::Child || children.iter().any(|c| c.path == inside.path) {
                continue;
            }
            let broken = |why: &str| Reason::Broken { file: inside.path.clone(), why: why.into() };
            let child = self
                .load(&inside.path)?
                .ok_or_else(|| Reason::Missing { first: inside.path.clone(), count: 1 })?;
            if child.playlist.master {
                return Err(broken("a master playlist names another master playlist"));
            }
            children.push(child);
            if children.len() > MAX_CHILDREN {
                return Err(broken("the channel has too many playlists"));
            }
        }
        if main.playlist.master && children.is_empty() {
            let why = "it is a master playlist without variants".into();
            return Err(Reason::Broken { file: main.path.clone(), why });
        }
        Ok(children)
    }

    /// Finds what a media playlist names. Finished, all of it has to be there; live, one segment.
    fn find(&mut self, loaded: &Loaded, live: bool) -> Result<Vec<Found>, Reason> {
        let (mut first_missing, mut missing, mut segments) = (None, 0, 0);
        let mut all = Vec::with_capacity(loaded.playlist.references.len());
        for reference in &loaded.playlist.references {
            let address = &loaded.text[reference.span.clone()];
            let inside = resolved(&loaded.path, address)?;
            let asked = !matches!(reference.role, Role::Hint | Role::Gap | Role::Child);
            let found = if asked { self.look_for(inside.clone())? } else { None };
            let required = match reference.role {
                Role::Segment => !live,
                Role::Init | Role::Key => true,
                _ => false,
            };
            if let Some((path, literal, stamp)) = found {
                segments += u32::from(reference.role == Role::Segment);
                let growing = live && reference.ranged;
                let version = self.offer(&path, stamp, reference.role, live, growing);
                all.push(Found { path: Some(path), literal, version });
                continue;
            }
            if required {
                missing += 1;
                first_missing.get_or_insert(inside.path);
            }
            all.push(Found::default());
        }
        match first_missing {
            Some(first) => Err(Reason::Missing { first, count: missing }),
            None if segments == 0 => Err(Reason::NoSegment),
            None => Ok(all),
        }
    }

    fn look_for(&mut self, inside: Inside) -> Result<Option<(String, bool, Stamp)>, Reason> {
        if let Some(stamp) = self.files.stat(&inside.path)? {
            return Ok(Some((inside.path, false, stamp)));
        }
        let Some(literal) = inside.literal else { return Ok(None) };
        Ok(self.files.stat(&literal)?.map(|stamp| (literal, true, stamp)))
    }

    /// Puts a file on offer; answers the version that its address carries.
    fn offer(
        &mut self,
        path: &str,
        stamp: Stamp,
        role: Role,
        live: bool,
        growing: bool,
    ) -> Option<String> {
        let mut pinned = None;
        if role == Role::Init && !growing {
            let before = self.before.filter(|before| before.live);
            let old = before.and_then(|before| before.file(path)).and_then(|f| f.pinned.clone());
            pinned = old.or_else(|| live.then(|| stamp.version().into()));
        }
        let version = pinned.as_deref().map_or_else(|| stamp.version(), str::to_owned);
        let media_type = media_type::of(path);
        let offer = Offer::File(FileOffer { media_type, stamp, pinned, loose: false });
        self.offers.entry(path.into()).or_insert(offer);
        (!growing).then_some(version)
    }

    /// Notes what tells this channel from another, and what is played after what.
    fn compare(&mut self, loaded: &Loaded, found: &[Found]) {
        let [named, sized] = &mut self.content;
        let durations = loaded.text.lines().filter_map(|line| line.strip_prefix("#EXTINF:"));
        for duration in durations {
            let seconds = duration.split(',').next().unwrap_or_default().trim().parse::<f64>();
            named.update(&seconds.unwrap_or(0.0).to_le_bytes());
        }
        let apart = matches!(self.files.place(), Place::Store { .. });
        let mut before: Option<&str> = None;
        for (reference, found) in loaded.playlist.references.iter().zip(found) {
            let Some(path) = found.path.as_deref().filter(|_| reference.role == Role::Segment)
            else {
                continue;
            };
            named.update(path.as_bytes()).update(&[0]);
            let size = match self.offers.get(path) {
                Some(Offer::File(file)) => file.stamp.size,
                _ => 0,
            };
            sized.update(&size.to_le_bytes());
            if let Some(before) = before.filter(|before| apart && *before != path) {
                self.behind.insert(before.into(), path.into());
            }
            before = Some(path);
        }
    }

    fn serve(&mut self, loaded: &Loaded, found: &[Found]) {
        let text = render(&loaded.path, &loaded.text, &loaded.playlist, found);
        let text = Bytes::from(text);
        let served =
            ServedPlaylist { etag: etag_of(&text), text, modified: loaded.stamp.modified() };
        self.offers.insert(loaded.path.as_str().into(), Offer::Playlist(served));
    }

    /// The poster and the subtitle tracks, and when the last of them changed.
    #[expect(clippy::type_complexity, reason = "three things found in one walk over the folder")]
    fn beside(&mut self) -> Result<(Option<&'static str>, Vec<(String, String)>, u64), Reason> {
        let mut newest = 0;
        let mut put = |reading: &mut Self, name: &str| -> Result<bool, Reason> {
            let Some(stamp) = reading.files.aside(name)? else { return Ok(false) };
            newest = newest.max(stamp.modified_ms());
            let media_type = media_type::of(name);
            let file = FileOffer { media_type, stamp, pinned: None, loose: true };
            Ok(reading.offers.insert(name.into(), Offer::File(file)).is_none())
        };
        let mut poster = None;
        for name in POSTERS {
            if poster.is_none() && put(self, name)? {
                poster = Some(name);
            }
        }
        let mut subtitles = Vec::new();
        for name in self.files.names()? {
            let Some(lang) = name.strip_suffix(".vtt").filter(|lang| is_language(lang)) else {
                continue;
            };
            // One that a playlist names is a segment, and no track of its own.
            if !self.offers.contains_key(name.as_str()) && put(self, &name)? {
                subtitles.push((lang.to_owned(), name));
            }
        }
        subtitles.sort();
        Ok((poster, subtitles, newest))
    }
}

fn resolved(from: &str, address: &str) -> Result<Inside, Reason> {
    resolve(from, address)
        .map_err(|_| Reason::Outside { file: from.into(), address: address.into() })
}

/// The file to look into: the init of the first media that is not encrypted, else a segment.
fn sample_of(loaded: &Loaded, found: &[Found]) -> Option<String> {
    let of = |role| {
        let mut pairs = loaded.playlist.references.iter().zip(found);
        pairs.find_map(|(r, f)| if r.role == role { f.path.clone() } else { None })
    };
    if loaded.playlist.encrypted { None } else { of(Role::Init).or_else(|| of(Role::Segment)) }
}

pub(crate) fn best_variant(master: &Playlist) -> Option<usize> {
    let size = |v: &playlist::Variant| v.resolution.map_or(0, |(w, h)| u64::from(w) * u64::from(h));
    (0..master.variants.len())
        .max_by_key(|at| (size(&master.variants[*at]), master.variants[*at].bandwidth))
}

/// Like a BCP 47 tag: `es`, `pt-BR`, `zh-Hant-TW`.
pub(crate) fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let primary = parts.next().unwrap_or_default();
    (2..=8).contains(&primary.len())
        && primary.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}
