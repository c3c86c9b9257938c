//! Which files of a channel ffmpeg is given: a little of it for a picture, all of it for the sound.
//! They come from what the catalogue put on offer; nothing else is opened. Of a channel in a bucket
//! the beginning is brought here first.

use std::{fs, path::PathBuf};

use super::download::MOST;
use crate::{
    catalog::record::{ChannelRecord, PlaylistOffer},
    hls::uri::resolve,
    transcode::MediaInput,
};

/// A picture is looked for behind so much of a film: titles and black are over then.
const INTO: f64 = 0.1;
/// And at most so far, in seconds.
const INTO_MAX_S: f64 = 120.0;
/// A variant of this longest side is large enough for a poster.
const LARGE_ENOUGH: u32 = 960;
/// Segments that a picture is chosen from.
const SEGMENTS: usize = 2;

/// A part of the channel that a picture can be found in, and where in it, in seconds. `None` where
/// nothing can be seen: it is encrypted, or its files are gone. Blocks.
pub(super) fn part(record: &ChannelRecord) -> Option<(MediaInput, f64)> {
    let into_s = record.duration_s.map_or(0.0, |length_s| (length_s * INTO).min(INTO_MAX_S));
    if record.bare {
        return Some((file(record)?, into_s));
    }
    let segments = segments(record)?;
    let last = segments.len().checked_sub(1)?;
    let at = if record.live { last } else { segments.len() / 10 };
    // Where segments are parts of one file, that file is read from its beginning.
    let at_s = if segments[at].ranged { into_s } else { 0.0 };
    let some = &segments[at..segments.len().min(at + SEGMENTS)];
    Some((chain(record, some)?, at_s))
}

/// What has to be brought here of a channel that lies in a bucket.
#[derive(Debug)]
pub(super) struct WantedFiles {
    /// By path inside the channel; together one stream.
    pub(super) paths: Vec<String>,
    /// Where in it a picture can be found, in seconds.
    pub(super) at_s: f64,
    /// It is one file of its own.
    pub(super) bare: bool,
}

/// The beginning of a finished channel of a bucket: whoever opens it asks for that first too. `None`
/// where nothing can be seen.
pub(super) fn beginning(record: &ChannelRecord) -> Option<WantedFiles> {
    if record.bare {
        let size = record.file(&record.main)?.stamp.size;
        // A quarter of what is brought is there for certain, however the bytes are spread.
        let here = if size > MOST { 0.25 * MOST as f64 / size as f64 } else { 1.0 };
        let at_s = record
            .duration_s
            .map_or(0.0, |length_s| (length_s * INTO).min(INTO_MAX_S).min(length_s * here));
        return Some(WantedFiles { paths: vec![record.main.clone()], at_s, bare: true });
    }
    let first = segments(record)?.into_iter().next().filter(|_| !record.live)?;
    let mut paths: Vec<String> = first.init.into_iter().chain([first.path]).collect();
    paths.dedup();
    Some(WantedFiles { paths, at_s: 0.0, bare: false })
}

/// The poster that lies in a bucket.
pub(super) fn given(record: &ChannelRecord) -> Option<WantedFiles> {
    Some(WantedFiles { paths: vec![record.poster.as_deref()?.to_owned()], at_s: 0.0, bare: false })
}

/// The whole channel. `None` where nothing can be heard. Blocks.
pub(super) fn whole(record: &ChannelRecord) -> Option<MediaInput> {
    if record.bare { file(record) } else { chain(record, &segments(record)?) }
}

/// A bare file, if it still lies in the streams folder.
fn file(record: &ChannelRecord) -> Option<MediaInput> {
    let (root, folder) = record.on_disk()?;
    let real = fs::canonicalize(folder.join(&record.main)).ok()?;
    real.starts_with(root).then_some(MediaInput::File(real))
}

/// One segment of a media playlist, with what has to be read before it.
struct Segment {
    init: Option<String>,
    path: String,
    ranged: bool,
}

/// The segments of one rendition.
fn segments(record: &ChannelRecord) -> Option<Vec<Segment>> {
    let parsed = &rendition(record)?.parsed;
    if parsed.playlist().encrypted {
        return None;
    }
    let segments = parsed.segments().filter_map(|segment| {
        Some(Segment {
            init: segment.init.map(str::to_owned),
            path: segment.path?.to_owned(),
            ranged: segment.range.is_some(),
        })
    });
    Some(segments.collect())
}

/// The media playlist to read: of several the least that is large enough.
fn rendition(record: &ChannelRecord) -> Option<&PlaylistOffer> {
    let main = record.playlist(&record.main)?;
    let playlist = main.parsed.playlist();
    if !playlist.master {
        return Some(main);
    }
    let best = playlist.variants.iter().min_by_key(|variant| {
        let side = variant.resolution.map_or(0, |(width, height)| width.max(height));
        if side >= LARGE_ENOUGH { (0, side) } else { (1, u32::MAX - side) }
    })?;
    let (reference, found) = main.parsed.references().nth(best.reference)?;
    let address = main.parsed.address(reference, found);
    let path = resolve(&record.main, &address).ok()?.path;
    record.playlist(&path).map(|playlist| &**playlist)
}

/// The segments as one stream; a file that holds several of them once.
fn chain(record: &ChannelRecord, segments: &[Segment]) -> Option<MediaInput> {
    let (root, folder) = record.on_disk()?;
    let mut files: Vec<PathBuf> = Vec::new();
    let mut before: Option<&str> = None;
    for segment in segments {
        let init = segment.init.as_deref().filter(|init| before != Some(*init));
        before = segment.init.as_deref();
        for path in init.into_iter().chain([segment.path.as_str()]) {
            let path = folder.join(path);
            if files.last() != Some(&path) {
                files.push(path);
            }
        }
    }
    Some(MediaInput::Chain { root: root.to_owned(), files })
}
