//! A playlist as we serve it: the text on disk with a version in the addresses that have one, and,
//! while it is live, without what is not there yet.

use super::{
    playlist::{Playlist, Reference, Role},
    uri::{encoded, versioned},
};

/// What became of one reference of a playlist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// The file's path inside the channel's folder; `None` where it is not there.
    pub path: Option<String>,
    /// The file has the name as written, which a browser would read differently.
    pub literal: bool,
    /// The version to append.
    pub version: Option<String>,
}

/// Writes the playlist `from` anew; `found` tells of each of its references in turn.
///
/// A live playlist ends behind its last segment that is there: the writer of the list may be ahead
/// of the writer of the segments.
pub fn render(from: &str, text: &str, playlist: &Playlist, found: &[Resolved]) -> String {
    let end = end(text, playlist, found);
    let mut served = String::with_capacity(text.len() + 32 * found.len());
    let mut copied = 0;
    for (reference, found) in playlist.references.iter().zip(found) {
        let span = reference.span.clone();
        if span.end > end || span.start < copied {
            continue;
        }
        served.push_str(&text[copied..span.start]);
        served.push_str(&address(from, text, reference, found));
        copied = span.end;
    }
    served.push_str(&text[copied..end]);
    served
}

/// The address of a reference as it is served.
pub(super) fn address(from: &str, text: &str, reference: &Reference, found: &Resolved) -> String {
    let address = match &found.path {
        Some(path) if found.literal => encoded(from, path),
        _ => text[reference.span.clone()].to_owned(),
    };
    match &found.version {
        Some(version) => versioned(&address, version),
        None => address,
    }
}

/// Up to where a playlist is served.
pub(super) fn end(text: &str, playlist: &Playlist, found: &[Resolved]) -> usize {
    if playlist.ended { text.len() } else { live_end(text, playlist, found) }
}

/// Writes a playlist of another server anew: `address` tells where each reference is served, and
/// lines whose reference is served nowhere are left out.
pub fn readdress(
    text: &str,
    playlist: &Playlist,
    mut address: impl FnMut(&Reference) -> Option<String>,
) -> String {
    let mut served = String::with_capacity(text.len() + 32 * playlist.references.len());
    let mut copied = 0;
    for reference in &playlist.references {
        let span = reference.span.clone();
        if span.start < copied {
            continue;
        }
        match address(reference) {
            Some(address) => {
                served.push_str(&text[copied..span.start]);
                served.push_str(&address);
                copied = span.end;
            }
            None => {
                served.push_str(&text[copied..reference.line.start.max(copied)]);
                copied = reference.line.end;
            }
        }
    }
    served.push_str(&text[copied..]);
    served
}

fn live_end(text: &str, playlist: &Playlist, found: &[Resolved]) -> usize {
    let segments = || {
        playlist
            .references
            .iter()
            .zip(found)
            .filter(|(reference, _)| matches!(reference.role, Role::Segment | Role::Gap))
            .map(|(reference, found)| {
                (reference.line.end, found.path.is_some() || reference.role == Role::Gap)
            })
    };
    match segments().next_back() {
        Some((_, false)) => {
            segments().rfind(|(_, there)| *there).map_or(text.len(), |(end, _)| end)
        }
        _ => text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Resolved, readdress, render};
    use crate::hls::playlist::{Role, parse};

    fn check(text: &str, found: &[(Option<&str>, Option<&str>)], expected: &str) {
        let playlist = parse(text).expect("a playlist");
        let found: Vec<_> = found
            .iter()
            .map(|(path, version)| Resolved {
                path: path.map(str::to_owned),
                literal: path.is_some_and(|path| path.contains('%')),
                version: version.map(str::to_owned),
            })
            .collect();
        assert_eq!(render("playlist.m3u8", text, &playlist, &found), expected);
    }

    #[test]
    fn only_addresses_change() {
        check(
            "#EXTM3U\r\n#EXT-X-MAP:URI=\"i.mp4\",X=1\r\n#EXTINF:1, t\r\n a.ts?x \r\n#EXT-X-ENDLIST",
            &[(Some("i.mp4"), Some("1")), (Some("a.ts"), Some("2"))],
            "#EXTM3U\r\n#EXT-X-MAP:URI=\"i.mp4?v=1\",X=1\r\n#EXTINF:1, t\r\n a.ts?x&v=2 \r\n#EXT-X-ENDLIST",
        );
        check(
            "#EXTM3U\n#EXTINF:1,\n5%.ts\n#EXT-X-ENDLIST\n",
            &[(Some("5%.ts"), Some("2"))],
            "#EXTM3U\n#EXTINF:1,\n5%25.ts?v=2\n#EXT-X-ENDLIST\n",
        );
    }

    #[test]
    fn lines_of_what_is_served_nowhere_are_left_out() {
        let text = "#EXTM3U\n#EXT-X-NEW:URI=\"h\"\n#EXTINF:1,\nhttp://h/a.ts\n#EXT-X-X:Y=1";
        let playlist = parse(text).expect("a playlist");
        let served = readdress(text, &playlist, |reference| {
            (reference.role == Role::Segment).then(|| "~/1.ts".to_owned())
        });
        assert_eq!(served, "#EXTM3U\n#EXTINF:1,\n~/1.ts\n#EXT-X-X:Y=1");
    }

    #[test]
    fn a_live_playlist_ends_behind_what_is_there() {
        let text = "#EXTM3U\n#EXTINF:1,\na.ts\n#EXTINF:1,\nb.ts\n";
        check(text, &[(Some("a.ts"), Some("1")), (None, None)], "#EXTM3U\n#EXTINF:1,\na.ts?v=1\n");
        // One that slid out of the window is left to the player.
        check(
            text,
            &[(None, None), (Some("b.ts"), Some("1"))],
            "#EXTM3U\n#EXTINF:1,\na.ts\n#EXTINF:1,\nb.ts?v=1\n",
        );
    }
}
