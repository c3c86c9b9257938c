//! Whether a finished channel begins as it goes on. Players take the tracks of its first segment for
//! those of all: where one is missing there, they stand still soon after.

use super::files::{Files, OnDisk};
use crate::{
    catalog::record::{ChannelRecord, Offer},
    hls::{parsed::Parsed, playlist::Role},
    probe,
};

/// What mends it.
pub(super) const FIX: &str = "take the first segments without it out of the playlist, or make the \
    channel anew from the original file with carrete convert";

/// Playlists of one channel that are looked at.
const PLAYLISTS_MAX: usize = 16;

/// What the first segment lacks that a later one has, in a sentence; of channels on this host.
/// Blocks.
pub(super) fn trouble(record: &ChannelRecord) -> Option<String> {
    let (root, folder) = record.on_disk().filter(|_| !record.live && !record.bare)?;
    let files = OnDisk::new(root, folder);
    let playlists = record.files.values().filter_map(|offer| match offer {
        Offer::Playlist(playlist) => Some(&playlist.parsed),
        Offer::File(_) => None,
    });
    playlists.take(PLAYLISTS_MAX).find_map(|playlist| {
        let segments = transport_segments(playlist)?;
        let has = |path: &String| tracks(&files, path);
        let (first_picture, first_sound) = has(segments.first()?)?;
        // What begins late is there in the second at the earliest, and in the last at the latest.
        let later = [segments.get(1)?, segments.get(segments.len() / 2)?, segments.last()?];
        let lacks = |what: &str| {
            format!(
                "its first segment has no {what} and later ones have; players stand still there"
            )
        };
        later.into_iter().find_map(|path| match has(path)? {
            (_, true) if !first_sound => Some(lacks("sound")),
            (true, _) if !first_picture => Some(lacks("picture")),
            _ => None,
        })
    })
}

/// Whether a segment has pictures, and sound; `None` where nothing is known of it.
fn tracks(files: &OnDisk<'_>, path: &str) -> Option<(bool, bool)> {
    let (file, size) = files.media(path).ok().flatten()?;
    let probe::Probe { codecs, has_sound, .. } = probe::look_into(file, size, path)?;
    let has_picture = codecs.iter().any(|codec| probe::is_picture(codec));
    // A sound that few browsers know is none of what is played, and holds up those that know it.
    let has_sound = has_sound || codecs.iter().any(|codec| !probe::is_picture(codec));
    (has_picture || has_sound).then_some((has_picture, has_sound))
}

/// The segments of a playlist whose tracks stand in each of them: without an init, whole files, not
/// encrypted.
fn transport_segments(parsed: &Parsed) -> Option<Vec<String>> {
    let playlist = parsed.playlist();
    let named = |role| playlist.references.iter().any(|reference| reference.role == role);
    if playlist.master || playlist.encrypted || named(Role::Init) {
        return None;
    }
    let segments = parsed.segments().filter_map(|segment| Some((segment.path?, segment.range)));
    segments.map(|(path, range)| range.is_none().then(|| path.to_owned())).collect()
}
