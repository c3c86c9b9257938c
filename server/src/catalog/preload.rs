//! What a player asks for first when it opens a channel: told in the page, so that the browser need not
//! wait until the player asks.

use app::catalog::Opening;

use super::{
    record::{Facts, Offer, PLAYLIST},
    snapshot::Entry,
};

/// Shorter reels begin at their beginning; a longer one may go on where it was left, in seconds.
const BEGINS_ANEW_S: f64 = 60.0;

/// Addresses in the order in which they are asked for: the playlist; where it names segments itself and
/// is finished, also its init and its first segment. Which rendition of a master playlist is played
/// depends on the line: only a single one is known before.
pub(super) fn opening(entry: &Entry) -> Opening {
    if !entry.media.is_hls() {
        return Opening::default();
    }
    let mut addresses = vec![entry.media.url.clone()];
    if !entry.media.live && entry.media.duration_s.is_some_and(|all| all < BEGINS_ANEW_S) {
        let folder = entry.media.url.trim_end_matches(PLAYLIST);
        follow(&entry.facts, folder, PLAYLIST, &mut addresses);
    }
    Opening { addresses, separate_tracks: has_separate_tracks(&entry.facts) }
}

/// Whether the master playlist has sound or subtitles in playlists of their own.
fn has_separate_tracks(facts: &Facts) -> bool {
    let Some(Offer::Playlist(playlist)) = facts.files.get(PLAYLIST) else { return false };
    let Ok(text) = std::str::from_utf8(&playlist.text) else { return false };
    text.lines()
        .filter_map(|line| line.strip_prefix("#EXT-X-STREAM-INF:"))
        .any(|attributes| attributes.contains("AUDIO=\"") || attributes.contains("SUBTITLES=\""))
}

/// Adds what the playlist at `path` (inside the channel's folder) leads to.
fn follow(facts: &Facts, folder: &str, path: &str, addresses: &mut Vec<String>) {
    let Some(Offer::Playlist(playlist)) = facts.files.get(path) else { return };
    let Ok(text) = std::str::from_utf8(&playlist.text) else { return };
    let base = path.rsplit_once('/').map_or("", |(base, _)| base);
    let join = |name: &str| match base {
        "" => name.to_owned(),
        base => format!("{base}/{name}"),
    };
    let mut named = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let Some(first) = named.next() else { return };
    if text.contains("#EXT-X-STREAM-INF") {
        if named.next().is_none() && !first.contains(['?', '%']) && addresses.len() == 1 {
            let child = join(first);
            addresses.push(format!("{folder}{child}"));
            follow(facts, folder, &child, addresses);
        }
        return;
    }
    let init = text.lines().find_map(|line| {
        let (_, rest) = line.strip_prefix("#EXT-X-MAP:")?.split_once("URI=\"")?;
        rest.split_once('"').map(|(uri, _)| uri)
    });
    for name in init.into_iter().chain([first]) {
        addresses.push(format!("{folder}{}", join(name)));
    }
}
