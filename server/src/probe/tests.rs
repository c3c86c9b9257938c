//! Files made by hand, and files made to break.

use std::io::{Cursor, Seek, SeekFrom, Write};

use app::catalog::Kind;
use proptest::prelude::*;

use super::{Ends, Probe, Reach, look_into, mime, mp4, reach_of, ts};
use crate::hls::playlist::Variant;

fn boxed(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let length = u32::try_from(body.len() + 8).expect("a small box");
    [&length.to_be_bytes()[..], kind, &body].concat()
}

/// A `trak` of a video of 1280x720 that the matrix may turn.
fn video_track(turned: bool) -> Vec<u8> {
    let mut header = vec![0; 84];
    let matrix: [u32; 9] = if turned {
        [0, 0x1_0000, 0, 0xFFFF_0000, 0, 0, 0, 0, 0x4000_0000]
    } else {
        [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000]
    };
    for (n, value) in matrix.iter().enumerate() {
        header[40 + 4 * n..44 + 4 * n].copy_from_slice(&value.to_be_bytes());
    }
    header[76..80].copy_from_slice(&(1280_u32 << 16).to_be_bytes());
    header[80..84].copy_from_slice(&(720_u32 << 16).to_be_bytes());
    let avc = boxed(b"avcC", &[&[1, 0x64, 0, 0x1F, 0xFF]]);
    track(&header, b"vide", &boxed(b"avc1", &[&[0; 78], &avc]))
}

fn audio_track() -> Vec<u8> {
    let specific = [5, 2, 0x12, 0x10];
    let config = [&[4, 17, 0x40][..], &[0; 12], &specific].concat();
    let stream = [&[3, 22, 0, 1, 0][..], &config].concat();
    let esds = boxed(b"esds", &[&[0; 4], &stream]);
    track(&[0; 84], b"soun", &boxed(b"mp4a", &[&[0; 28], &esds]))
}

fn track(header: &[u8], handler: &[u8; 4], entry: &[u8]) -> Vec<u8> {
    let descriptions = boxed(b"stsd", &[&[0, 0, 0, 0, 0, 0, 0, 1], entry]);
    let handler = boxed(b"hdlr", &[&[0; 8], handler, &[0; 13]]);
    let table = boxed(b"minf", &[&boxed(b"stbl", &[&descriptions])]);
    boxed(b"trak", &[&boxed(b"tkhd", &[header]), &boxed(b"mdia", &[&handler, &table])])
}

fn movie(tracks: &[Vec<u8>]) -> Vec<u8> {
    let mut header = vec![0; 100];
    header[12..16].copy_from_slice(&1000_u32.to_be_bytes());
    header[16..20].copy_from_slice(&12_500_u32.to_be_bytes());
    boxed(b"moov", &[&boxed(b"mvhd", &[&header]), &tracks.concat()])
}

fn file(moov: &[u8]) -> Vec<u8> {
    [boxed(b"ftyp", &[b"isom\0\0\0\0"]), boxed(b"mdat", &[&[7; 500]]), moov.to_vec()].concat()
}

fn read(bytes: &[u8]) -> Option<Probe> {
    mp4::read(&mut Cursor::new(bytes), bytes.len() as u64, true).0
}

fn ends(bytes: &[u8]) -> Ends {
    mp4::read(&mut Cursor::new(bytes), bytes.len() as u64, true).1
}

#[test]
fn a_movie_with_its_index_at_the_end() {
    for (turned, size) in [(false, (1280, 720)), (true, (720, 1280))] {
        let probe = read(&file(&movie(&[audio_track(), video_track(turned)]))).expect("a movie");
        assert_eq!(probe.kind, Some(Kind::Video));
        assert_eq!(probe.width.zip(probe.height), Some(size));
        assert_eq!(probe.codecs, ["avc1.64001f", "mp4a.40.2"]);
        assert_eq!(probe.duration_s, Some(12.5));
    }
    let sound = read(&file(&movie(&[audio_track()]))).expect("a movie");
    assert_eq!((sound.kind, sound.width), (Some(Kind::Audio), None));
}

#[test]
fn a_whole_file_is_looked_into() {
    let mut on_disk = tempfile::tempfile().expect("a file");
    let bytes = file(&movie(&[video_track(true), audio_track()]));
    on_disk.write_all(&bytes).expect("written");
    on_disk.seek(SeekFrom::Start(0)).expect("sought");
    let probe = look_into(Box::new(on_disk), bytes.len() as u64, "x.mp4");
    assert_eq!(probe.and_then(|probe| probe.height), Some(1280));
}

#[test]
fn a_wave_file() {
    let mut on_disk = tempfile::tempfile().expect("a file");
    let samples = vec![0; 8000];
    let bytes = [
        b"RIFF".as_slice(),
        &8036_u32.to_le_bytes(),
        b"WAVEfmt \x10\0\0\0\x01\0\x01\0",
        &8000_u32.to_le_bytes(),
        &8000_u32.to_le_bytes(),
        b"\x01\0\x08\0data",
        &8000_u32.to_le_bytes(),
        &samples,
    ]
    .concat();
    on_disk.write_all(&bytes).expect("written");
    on_disk.seek(SeekFrom::Start(0)).expect("sought");
    let probe = look_into(Box::new(on_disk), bytes.len() as u64, "x.wav").expect("a wave file");
    assert_eq!((probe.kind, probe.duration_s), (Some(Kind::Audio), Some(1.0)));
}

#[test]
fn what_a_master_playlist_says() {
    let variant = |codecs: Option<&str>, resolution| Variant {
        bandwidth: 1,
        resolution,
        codecs: codecs.map(str::to_owned),
        separate_tracks: false,
        reference: 0,
    };
    assert_eq!(Probe::of_variant(&variant(None, None)), None);
    let sound = Probe::of_variant(&variant(Some("mp4a.40.2"), None)).expect("told");
    assert_eq!(sound.kind, Some(Kind::Audio));
    let video = Probe::of_variant(&variant(Some("avc1.42c01e, mp4a.40.2"), None)).expect("told");
    assert_eq!((video.kind, video.codecs.len()), (Some(Kind::Video), 2));
}

#[test]
fn types() {
    let codecs = |list: &[&str]| list.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
    assert_eq!(mime("video/mp4", &[]), "video/mp4");
    assert_eq!(mime("video/mp4", &codecs(&["a", "b"])), "video/mp4; codecs=\"a,b\"");
}

#[test]
fn who_plays_a_variant() {
    let variant = |codecs: &str| Variant { codecs: Some(codecs.to_owned()), ..Variant::default() };
    for (codecs, right) in [
        ("avc1.64001f,mp4a.40.2", Reach::Everywhere),
        ("avc1.64001f, mp4a.40.2 ,ec-3", Reach::Everywhere),
        ("avc1.64001f,ec-3", Reach::Somewhere),
        ("hvc1.1.6.L93.B0,mp4a.40.2", Reach::Somewhere),
        ("mp4a.40.2", Reach::Everywhere),
        ("avc1.64001f,wvtt", Reach::Everywhere),
        ("", Reach::Everywhere),
    ] {
        assert_eq!(reach_of(&variant(codecs)), right, "{codecs}");
    }
    assert_eq!(reach_of(&Variant::default()), Reach::Everywhere);
    let told = Probe::of_variant(&variant("avc1.64001f,ec-3")).expect("told");
    assert!(told.trouble.is_some_and(|trouble| trouble.contains("its sound is ec-3")));
    assert_eq!(told.codecs, ["avc1.64001f"]);
}

#[test]
fn a_movie_is_whole_when_all_its_boxes_are() {
    let end = file(&movie(&[audio_track()]));
    let front =
        [boxed(b"ftyp", &[b"isom\0\0\0\0"]), movie(&[audio_track()]), boxed(b"mdat", &[&[7; 500]])]
            .concat();
    for bytes in [&end, &front] {
        assert_eq!(ends(bytes), Ends::Whole);
        assert_eq!(ends(&[&bytes[..], b"\0\0\0"].concat()), Ends::Whole);
        for cut in 1..bytes.len() {
            assert!(matches!(ends(&bytes[..cut]), Ends::Cut(_)), "cut after {cut}");
        }
    }
    // Room that is made for what follows.
    let room = [&front[..front.len() - 508], &[0; 600]].concat();
    assert!(matches!(ends(&room), Ends::Unknown | Ends::Cut(_)));
    let mut open = front.clone();
    let mdat = front.len() - 508;
    open[mdat..mdat + 4].fill(0);
    assert_eq!(ends(&open), Ends::Whole);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn noise_is_survived(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        read(&bytes);
        ts::read(&bytes[..]);
    }

    #[test]
    fn damaged_movies_are_survived(at in 0usize..800, value: u8, cut in 0usize..1500) {
        let mut bytes = file(&movie(&[video_track(true), audio_track()]));
        let length = bytes.len();
        bytes[at % length] = value;
        bytes.truncate(cut.min(length));
        read(&bytes);
    }

    #[test]
    fn damaged_streams_are_survived(bytes in prop::collection::vec(any::<u8>(), 188 * 4)) {
        let mut bytes = bytes;
        for (n, packet) in bytes.chunks_exact_mut(188).enumerate() {
            packet[0] = 0x47;
            packet[1] = if n == 0 { 0x40 } else { packet[1] };
            packet[2] = if n == 0 { 0 } else { packet[2] };
        }
        ts::read(&bytes[..]);
    }
}
