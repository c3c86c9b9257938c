//! A folder with a playlist, read into [`ChannelRecord`]: its playlists, the files they name, and what
//! lies beside them.

pub(crate) mod beside;
mod best;
mod extent;

use std::collections::HashMap;

use app::catalog::Kind;

pub(crate) use self::best::best_variant;
use super::{channel_toml, files::Files, probe_cache::ProbeCache};
use crate::{
    catalog::{
        problem::Problem,
        record::{ChannelRecord, Content, FileOffer, Offer, PLAYLIST, PlaylistOffer},
        remark::Remark,
    },
    hls::{
        media_type,
        parsed::Parsed,
        playlist::{
            self, Playlist, Role,
            variables::{self, Variables},
        },
        render::Resolved,
        uri::{Inside, resolve},
    },
    probe,
    storage::local::FileVersion,
};

/// More playlists than this in one channel are a mistake.
const MAX_CHILDREN: usize = 64;
/// What the owner says of a channel.
const ABOUT: &str = "channel.toml";

/// What was read of a channel.
pub(crate) struct Read {
    /// The channel, or why there is none.
    pub(crate) record: Result<ChannelRecord, Problem>,
    /// What `channel.toml` has wrong, where what it said before holds.
    pub(crate) about_error: Option<String>,
}

/// Reads the folder. `before` is the channel as it was, if it was listed; `probed` remembers what
/// was found inside its media, and what its owner said of it.
pub(crate) fn read(
    files: &mut dyn Files,
    before: Option<&ChannelRecord>,
    probed: &mut Option<ProbeCache>,
) -> Read {
    let mut about_error = None;
    let record = channel_toml::read(files, ABOUT, probed).and_then(|mut owner| {
        about_error = owner.error.take();
        let (offers, behind) = (HashMap::new(), HashMap::new());
        let content = [blake3::Hasher::new(), blake3::Hasher::new()];
        let remarks = Vec::new();
        Reading { files, before, offers, behind, content, remarks }.record(owner, probed)
    });
    Read { record, about_error }
}

/// One playlist of the channel.
struct Loaded {
    path: String,
    text: String,
    stamp: FileVersion,
    playlist: Playlist,
    /// What it defines for those below it.
    variables: Variables,
}

/// A playlist that a master names.
struct Child {
    loaded: Loaded,
    /// Which of the master's references name it, and whether its name has to be written anew.
    references: Vec<(usize, bool)>,
}

struct Reading<'a> {
    files: &'a mut dyn Files,
    before: Option<&'a ChannelRecord>,
    offers: HashMap<Box<str>, Offer>,
    behind: HashMap<Box<str>, Box<str>>,
    /// Names and durations; sizes.
    content: [blake3::Hasher; 2],
    remarks: Vec<Remark>,
}

impl Reading<'_> {
    fn record(
        &mut self,
        owner: channel_toml::Owner,
        probed: &mut Option<ProbeCache>,
    ) -> Result<ChannelRecord, Problem> {
        let main = self.load(PLAYLIST, None, None)?.ok_or(Problem::NoPlaylist)?;
        let children = self.children(&main)?;
        let media: Vec<&Loaded> = if main.playlist.master {
            children.iter().map(|child| &child.loaded).collect()
        } else {
            vec![&main]
        };
        let live = media.iter().any(|loaded| !loaded.playlist.ended);
        let mut samples = Vec::with_capacity(media.len());
        for loaded in &media {
            let found = self.find(loaded, live)?;
            if !live {
                self.whole(loaded, &found)?;
            }
            samples.push(sample_of(loaded, &found));
            self.compare(loaded, &found);
            self.serve(loaded, found);
        }
        if main.playlist.master {
            let mut found = vec![Resolved::default(); main.playlist.references.len()];
            for child in &children {
                for (at, _) in child.references.iter().filter(|(_, anew)| *anew) {
                    let path = Some(child.loaded.path.clone());
                    found[*at] = Resolved { path, literal: true, version: None };
                }
            }
            self.serve(&main, found);
        }
        let probe = self.judge(&main, &children, &samples, live, probed)?;
        if let Some(trouble) = probe.trouble {
            self.remarks.push(Remark::of_trouble(trouble, &probe.codecs));
        }

        let beside = self.beside()?;
        let main_ms = main.stamp.modified_ms();
        let updated_at = match self.before {
            Some(before) if before.live && live => before.updated_at,
            _ => main_ms.max(owner.modified_ms).max(beside.newest_ms),
        };
        let [named, sized] = self.content.each_ref().map(blake3::Hasher::finalize);
        Ok(ChannelRecord {
            location: self.files.location(),
            content: Content { named, sized: Some(sized) },
            behind: std::mem::take(&mut self.behind),
            beside: HashMap::new(),
            thumbhash: None,
            refers_to: Vec::new(),
            main: PLAYLIST.into(),
            bare: false,
            files: std::mem::take(&mut self.offers),
            poster: beside.poster,
            subtitles: beside.subtitles,
            about: owner.about,
            remarks: std::mem::take(&mut self.remarks),
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

    /// The playlist at `path`. `query` is that of its address, `above` what its master defines.
    fn load(
        &mut self,
        path: &str,
        query: Option<&str>,
        above: Option<&Variables>,
    ) -> Result<Option<Loaded>, Problem> {
        let Some((text, stamp)) = self.files.text(path, playlist::MAX_BYTES)? else {
            return Ok(None);
        };
        let (text, variables) = match variables::expand(&text, query, above) {
            Ok((expanded, variables)) => (expanded.into_owned(), variables),
            Err(why) => {
                return Err(Problem::Variable { file: path.into(), why: why.to_string() });
            }
        };
        let playlist = playlist::parse(&text)
            .map_err(|why| Problem::Broken { file: path.into(), why: why.to_string() })?;
        Ok(Some(Loaded { path: path.into(), text, stamp, playlist, variables }))
    }

    fn children(&mut self, main: &Loaded) -> Result<Vec<Child>, Problem> {
        let mut children: Vec<Child> = Vec::new();
        for (at, reference) in main.playlist.references.iter().enumerate() {
            let address = &main.text[reference.span.clone()];
            let inside = resolved(&main.path, address)?;
            if reference.role != Role::Child {
                continue;
            }
            let path = match self.files.stat(&inside.path)? {
                Some(_) => inside.path.clone(),
                None => self.files.composed(&inside.path)?.unwrap_or_else(|| inside.path.clone()),
            };
            let names = (at, path != inside.path);
            if let Some(known) = children.iter_mut().find(|child| child.loaded.path == path) {
                known.references.push(names);
                continue;
            }
            let broken = |why: &str| Problem::Broken { file: path.clone(), why: why.into() };
            let query = address.split_once('?').map(|(_, query)| query);
            let loaded = self.load(&path, query, Some(&main.variables))?;
            let loaded =
                loaded.ok_or_else(|| Problem::Missing { first: inside.path.clone(), count: 1 })?;
            if loaded.playlist.master {
                return Err(broken("a master playlist names another master playlist"));
            }
            children.push(Child { loaded, references: vec![names] });
            if children.len() > MAX_CHILDREN {
                return Err(broken("the channel has too many playlists"));
            }
        }
        if main.playlist.master && children.is_empty() {
            let why = "it is a master playlist without variants".into();
            return Err(Problem::Broken { file: main.path.clone(), why });
        }
        Ok(children)
    }

    /// Finds what a media playlist names. Finished, all of it has to be there; live, one segment.
    fn find(&mut self, loaded: &Loaded, live: bool) -> Result<Vec<Resolved>, Problem> {
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
                all.push(Resolved { path: Some(path), literal, version });
                continue;
            }
            if required {
                missing += 1;
                first_missing.get_or_insert(inside.path);
            }
            all.push(Resolved::default());
        }
        match first_missing {
            Some(first) => Err(self.missing(first, missing)),
            None if segments == 0 => Err(Problem::NoSegment),
            None => Ok(all),
        }
    }

    /// The file, and whether its name has to be written anew in the playlist.
    fn look_for(&mut self, inside: Inside) -> Result<Option<(String, bool, FileVersion)>, Problem> {
        if let Some(stamp) = self.files.stat(&inside.path)? {
            return Ok(Some((inside.path, false, stamp)));
        }
        for path in inside.literal.into_iter().chain([inside.path]) {
            if let Some(stamp) = self.files.stat(&path)? {
                return Ok(Some((path, true, stamp)));
            }
            // Some systems take accents apart in the names of files, and not in what the files say.
            if !path.is_ascii()
                && let Some(there) = self.files.composed(&path)?
                && let Some(stamp) = self.files.stat(&there)?
            {
                return Ok(Some((there, true, stamp)));
            }
        }
        Ok(None)
    }

    /// Says that files are missing; where one is there in other letters, that only the writing differs.
    fn missing(&self, first: String, count: usize) -> Problem {
        let alike = |name: &String| crate::catalog::name::nfc(name).to_lowercase();
        let wanted = alike(&first);
        let names = self.files.names().unwrap_or_default();
        let there = names.into_iter().find(|name| alike(name) == wanted);
        match there.filter(|there| *there != first) {
            Some(there) => Problem::Spelled { wanted: first, there },
            None => Problem::Missing { first, count },
        }
    }

    /// Puts a file on offer; answers the version that its address carries.
    fn offer(
        &mut self,
        path: &str,
        stamp: FileVersion,
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
    fn compare(&mut self, loaded: &Loaded, found: &[Resolved]) {
        let [named, sized] = &mut self.content;
        for segment in loaded.playlist.references.iter().filter(|named| named.is_segment()) {
            named.update(&segment.duration_s.to_le_bytes());
        }
        let apart = self.files.location().folder.is_none();
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

    fn serve(&mut self, loaded: &Loaded, found: Vec<Resolved>) {
        let parsed = Parsed::new(&loaded.path, &loaded.text, loaded.playlist.clone(), found);
        let offer = PlaylistOffer::new(parsed, loaded.stamp.modified());
        self.offers.insert(loaded.path.as_str().into(), Offer::Playlist(offer.into()));
    }
}

fn resolved(from: &str, address: &str) -> Result<Inside, Problem> {
    resolve(from, address)
        .map_err(|_| Problem::Outside { file: from.into(), address: address.into() })
}

/// The file to look into: the init of the first media that is not encrypted, else a segment.
fn sample_of(loaded: &Loaded, found: &[Resolved]) -> Option<String> {
    let of = |role| {
        let mut pairs = loaded.playlist.references.iter().zip(found);
        pairs.find_map(|(r, f)| if r.role == role { f.path.clone() } else { None })
    };
    if loaded.playlist.encrypted { None } else { of(Role::Init).or_else(|| of(Role::Segment)) }
}
