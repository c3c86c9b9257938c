//! Playlists as ffmpeg and others write them, and as nobody should.

use std::collections::HashSet;

use proptest::prelude::*;

use super::{MAX_REFERENCES, MAX_TAG_BYTES, PlaylistError, Role, parse};
use crate::hls::render::readdress;

fn names(text: &str) -> Vec<(Role, &str, bool)> {
    parse(text)
        .unwrap_or_else(|error| panic!("{error}: {text}"))
        .references
        .into_iter()
        .map(|reference| (reference.role, &text[reference.span], reference.ranged))
        .collect()
}

const FFMPEG: &str = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n\
    #EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.000000,\nplaylist0.ts\n#EXTINF:9.5,\nplaylist1.ts\n\
    #EXT-X-ENDLIST\n";

#[test]
fn the_plain_ffmpeg_playlist() {
    let playlist = parse(FFMPEG).expect("ffmpeg writes playlists");
    assert!(playlist.ended && !playlist.master && !playlist.encrypted);
    assert!((playlist.duration_s - 19.5).abs() < 1e-9);
    assert_eq!(
        names(FFMPEG),
        [(Role::Segment, "playlist0.ts", false), (Role::Segment, "playlist1.ts", false)]
    );
}

#[test]
fn parts_of_files_end_where_they_say() {
    let text = "#EXTM3U\n#EXT-X-MAP:URI=\"a.mp4\",BYTERANGE=\"700@0\"\n\
        #EXTINF:4,\n#EXT-X-BYTERANGE:1000@700\na.mp4\n#EXTINF:4,\n#EXT-X-BYTERANGE: 500\na.mp4\n\
        #EXTINF:4,\n#EXT-X-BYTERANGE:300\nb.mp4\n#EXTINF:4,\nc.mp4\n\
        #EXTINF:4,\n#EXT-X-BYTERANGE:18446744073709551615@1\na.mp4\n\
        #EXTINF:4,\n#EXT-X-BYTERANGE:x@y\na.mp4\n";
    let ends: Vec<_> = parse(text)
        .expect("read")
        .references
        .iter()
        .map(|r| r.range.as_ref().map(|range| range.end))
        .collect();
    assert_eq!(ends, [Some(700), Some(1700), Some(2200), Some(300), None, None, None]);
}

#[test]
fn windows_line_ends_a_byte_order_mark_and_spaces() {
    let text = format!("\u{FEFF}{}", FFMPEG.replace('\n', " \r\n"));
    let text = text.replacen("#EXTM3U ", "#EXTM3U", 1).replace("ENDLIST ", "ENDLIST");
    assert_eq!(names(&text).len(), 2);
    assert_eq!(names(&text)[0].1, "playlist0.ts");
}

#[test]
fn a_master_playlist() {
    let text = "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"x\",URI=\"a/index.m3u8\"\n\
        #EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=360x640,CODECS=\"avc1.64001e,mp4a.40.2\"\n\
        low/index.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=1x\nhi.m3u8\n";
    let playlist = parse(text).expect("a master");
    assert!(playlist.master);
    assert_eq!(playlist.variants[0].resolution, Some((360, 640)));
    assert_eq!(playlist.variants[0].codecs.as_deref(), Some("avc1.64001e,mp4a.40.2"));
    assert_eq!(playlist.variants[1].resolution, None);
    assert_eq!(
        names(text),
        [
            (Role::Child, "a/index.m3u8", false),
            (Role::Child, "low/index.m3u8", false),
            (Role::Child, "hi.m3u8", false)
        ]
    );
}

#[test]
fn maps_keys_ranges_gaps_parts_and_hints() {
    let text = "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\",BYTERANGE=\"10@0\"\n\
        #EXT-X-KEY:METHOD=AES-128,URI=\"k.key\",IV=0x1\n#EXTINF:2,\n#EXT-X-BYTERANGE:5@10\na.m4s\n\
        #EXT-X-GAP\n#EXTINF:2,\nb.m4s\n#EXT-X-PART:DURATION=1,URI=\"c.0.m4s\"\n\
        #EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"c.1.m4s\"\n#EXT-X-NEW:URI=\"x\"\n#EXT-X-OLD:5\n";
    assert!(parse(text).is_ok_and(|playlist| playlist.encrypted && !playlist.ended));
    assert_eq!(
        names(text),
        [
            (Role::Init, "init.mp4", true),
            (Role::Key, "k.key", false),
            (Role::Segment, "a.m4s", true),
            (Role::Gap, "b.m4s", false),
            (Role::Part, "c.0.m4s", false),
            (Role::Hint, "c.1.m4s", false),
            (Role::Hint, "x", false)
        ]
    );
}

#[test]
fn what_is_no_playlist() {
    for (text, why) in [
        ("", PlaylistError::Header),
        ("<html>", PlaylistError::Header),
        ("#EXTINF:1,\na.ts\n", PlaylistError::Header),
        ("#EXTM3U\n#EXTINF:soon,\na.ts\n", PlaylistError::Tag),
    ] {
        assert_eq!(parse(text), Err(why), "{text:?}");
    }
}

#[test]
fn what_names_too_much_is_refused() {
    let names = |count: usize, one: &str| format!("#EXTM3U\n{}", one.repeat(count));
    for one in ["a.ts\n", "#EXT-X-PRELOAD-HINT:URI=\"a\"\n", "#EXT-X-NEW:URI=\"a\"\n"] {
        let read = parse(&names(MAX_REFERENCES, one)).expect("so many may be named");
        assert_eq!(read.references.len(), MAX_REFERENCES, "{one}");
        assert_eq!(parse(&names(MAX_REFERENCES + 1, one)), Err(PlaylistError::TooMany), "{one}");
    }
}

#[test]
fn a_line_may_name_much_and_is_measured_once() {
    // A day's worth on one line; with a look for both its ends at each this would take minutes.
    let tag = "#EXT-X-PRELOAD-HINT:URI=\"first\"";
    let count = (MAX_TAG_BYTES - tag.len()) / 8;
    let line = format!("{tag}{}", ",URI=\"b\"".repeat(count));
    let text = format!("#EXTM3U\n{line}\na.ts\n");
    let playlist = parse(&text).expect("a playlist");
    assert_eq!(playlist.references.len(), count + 2);
    let lines: HashSet<_> =
        playlist.references.iter().map(|reference| reference.line.clone()).collect();
    let lines: HashSet<_> = lines.into_iter().map(|line| text.get(line)).collect();
    let line = format!("{line}\n");
    assert_eq!(lines, [Some(&*line), Some("a.ts\n")].into());
    let mut asked = 0;
    let served = readdress(&text, &playlist, |reference| {
        asked += 1;
        (reference.role == Role::Segment).then(|| "b.ts".to_owned())
    });
    assert_eq!(served, "#EXTM3U\nb.ts\n");
    assert!(asked <= 3, "{asked} of one line are asked for that is left out");
    // Longer tags are not taken apart.
    let text = format!("#EXTM3U\n#EXT-X-MAP:URI=\"{}\"\n", "x".repeat(MAX_TAG_BYTES));
    assert_eq!(parse(&text), Err(PlaylistError::Tag));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(#EXTM3U\n)?(\\PC|\n|\r|\"|,|=|#EXT-X-MAP:URI=){0,200}") {
        if let Ok(playlist) = parse(&text) {
            for reference in playlist.references {
                prop_assert!(text.get(reference.span.clone()).is_some());
                let (line, span) = (reference.line, reference.span);
                prop_assert!(line.start <= span.start && span.end <= line.end);
                let line = text.get(line);
                prop_assert!(line.is_some_and(|line| !line.trim_end_matches('\n').contains('\n')));
            }
        }
    }

    #[test]
    fn every_segment_is_found(durations in prop::collection::vec(0.1f64..60.0, 1..50)) {
        let mut text = String::from("#EXTM3U\n");
        for (n, duration) in durations.iter().enumerate() {
            text.push_str(&format!("#EXTINF:{duration},\nseg {n}.ts\n"));
        }
        let playlist = parse(&text).expect("a playlist");
        prop_assert_eq!(playlist.references.len(), durations.len());
        prop_assert!((playlist.duration_s - durations.iter().sum::<f64>()).abs() < 1e-6);
    }
}
