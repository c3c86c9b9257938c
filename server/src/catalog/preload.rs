//! What a player asks for first when it opens a channel: told in the page, so that the browser need not
//! wait until the player asks.

use app::catalog::Opening;

use super::{
    record::{ChannelRecord, PLAYLIST},
    snapshot::ListedChannel,
};
use crate::hls::playlist::Role;

/// Shorter reels begin at their beginning; a longer one may go on where it was left, in seconds.
const BEGINS_ANEW_S: f64 = 60.0;

/// Addresses in the order in which they are asked for: the playlist; where it names segments itself and
/// is finished, also its init and its first segment. Which rendition of a master playlist is played
/// depends on the line: only a single one is known before.
pub(super) fn opening(entry: &ListedChannel) -> Opening {
    if !entry.media.is_hls() {
        return Opening::default();
    }
    let mut addresses = vec![entry.media.url.clone()];
    if !entry.media.live && entry.media.duration_s.is_some_and(|all| all < BEGINS_ANEW_S) {
        let folder = entry.media.url.trim_end_matches(PLAYLIST);
        follow(&entry.record, folder, PLAYLIST, &mut addresses);
    }
    Opening { addresses, separate_tracks: has_separate_tracks(&entry.record) }
}

/// Whether the master playlist has sound or subtitles in playlists of their own.
fn has_separate_tracks(record: &ChannelRecord) -> bool {
    let variants = record.playlist(PLAYLIST).map(|main| &main.parsed.playlist().variants);
    variants.is_some_and(|variants| variants.iter().any(|variant| variant.separate_tracks))
}

/// Adds what the playlist at `path` (inside the channel's folder) leads to.
fn follow(record: &ChannelRecord, folder: &str, path: &str, addresses: &mut Vec<String>) {
    let Some(offer) = record.playlist(path) else { return };
    let parsed = &offer.parsed;
    let base = path.rsplit_once('/').map_or("", |(base, _)| base);
    let join = |name: &str| match base {
        "" => name.to_owned(),
        base => format!("{base}/{name}"),
    };
    let of = |role| {
        let mut named = parsed.references().filter(move |(reference, _)| reference.role == role);
        named.next().map(|(reference, found)| parsed.address(reference, found))
    };
    if let [variant] = parsed.playlist().variants.as_slice() {
        let named = parsed.references().nth(variant.reference);
        let child = named.map(|(reference, found)| parsed.address(reference, found));
        if let Some(child) = child.filter(|child| !child.contains(['?', '%']))
            && addresses.len() == 1
        {
            let child = join(&child);
            addresses.push(format!("{folder}{child}"));
            follow(record, folder, &child, addresses);
        }
    }
    if parsed.playlist().master {
        return;
    }
    let first = of(Role::Segment);
    let init = of(Role::Init).filter(|_| first.is_some());
    for name in init.into_iter().chain(first) {
        addresses.push(format!("{folder}{}", join(&name)));
    }
}
