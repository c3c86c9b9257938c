//! Which codecs browsers play, by the names of RFC 6381.

/// Who plays a codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Every browser of ours.
    Everywhere,
    /// Some of them.
    Somewhere,
    /// None.
    Nowhere,
}

/// Who plays a codec and, where that is not everybody, why.
pub(crate) fn reach(codec: &str) -> (Reach, &'static str) {
    let KnownCodec { reach, why, .. } = known(&codec.to_ascii_lowercase());
    (reach, why)
}

/// What people call a codec that not every browser plays, in words that are the same everywhere;
/// `None` for the others. What has no such name keeps its own.
pub(crate) fn format(codec: &str) -> Option<String> {
    let codec = codec.to_ascii_lowercase();
    let KnownCodec { reach, name, .. } = known(&codec);
    let own = || codec.split('.').next().unwrap_or_default().to_uppercase();
    (reach != Reach::Everywhere).then(|| if name.is_empty() { own() } else { name.to_owned() })
}

/// What is known of a codec.
struct KnownCodec {
    reach: Reach,
    /// Why not everybody plays it.
    why: &'static str,
    /// What people call it; nothing where that is not known or never told.
    name: &'static str,
}

const EVERYWHERE: KnownCodec = KnownCodec { reach: Reach::Everywhere, why: "", name: "" };

fn somewhere(name: &'static str, why: &'static str) -> KnownCodec {
    KnownCodec { reach: Reach::Somewhere, why, name }
}

fn nowhere(name: &'static str) -> KnownCodec {
    KnownCodec { reach: Reach::Nowhere, why: "browsers do not play it", name }
}

/// Of a codec in small letters.
fn known(codec: &str) -> KnownCodec {
    const PLAYED: [&str; 13] = [
        "avc1", "avc3", "vp8", "vp9", "vp08", "vp09", "av01", "mp3", "opus", "vorbis", "flac",
        "pcm", "wvtt",
    ];
    if codec.is_empty() {
        // What nothing is told of is given the chance.
        return EVERYWHERE;
    }
    if let Some(object) = codec.strip_prefix("mp4a.") {
        return sound_object(object);
    }
    let (name, profile) = codec.split_once('.').unwrap_or((codec, ""));
    match (name, profile.get(..2).unwrap_or_default()) {
        ("avc1" | "avc3", "6e") => somewhere(
            "H.264 High 10",
            "H.264 High 10 has ten bits, for which phones have no decoder",
        ),
        ("avc1" | "avc3", "7a") => somewhere(
            "H.264 4:2:2",
            "H.264 High 4:2:2 is for studios, phones have no decoder for it",
        ),
        ("avc1" | "avc3", "f4" | "2c") => somewhere(
            "H.264 4:4:4",
            "H.264 4:4:4 has its colours in full, for which phones have no decoder",
        ),
        ("vp09", "01" | "03") => {
            somewhere("VP9 4:4:4", "phones have no decoder for colours in full")
        }
        ("av01", "1." | "2.") => {
            somewhere("AV1 4:4:4", "phones have no decoder for colours in full")
        }
        ("hvc1" | "hev1", _) => somewhere("HEVC", "HEVC plays in some browsers only"),
        ("dvh1" | "dvhe" | "dva1" | "dvav", _) => {
            somewhere("Dolby Vision", "Dolby Vision plays in some browsers only")
        }
        ("ac-3" | "ec-3" | "ac-4", _) => {
            somewhere("Dolby Digital", "Dolby sound plays in some browsers only")
        }
        ("alac", _) => somewhere("Apple Lossless", "Apple Lossless plays in some browsers only"),
        _ if PLAYED.iter().any(|played| name.starts_with(played)) => EVERYWHERE,
        _ if is_protected(name) => {
            KnownCodec { why: "it is protected against copying", ..nowhere("DRM") }
        }
        ("mp4v", _) => nowhere("MPEG-4 Visual"),
        ("apch" | "apcn" | "apcs" | "apco" | "ap4h" | "ap4x", _) => nowhere("ProRes"),
        _ => nowhere(""),
    }
}

/// By the object type behind `mp4a.`, in hex, and the audio object type of MPEG-4 behind that.
fn sound_object(object: &str) -> KnownCodec {
    match object {
        "40.32" | "40.33" => somewhere(
            "MPEG Audio Layer II",
            "MPEG sound of layer I or II is silent in some browsers",
        ),
        "40.42" => somewhere("xHE-AAC", "xHE-AAC plays in some browsers only"),
        "a9" | "a9.2" => KnownCodec { why: "browsers do not play DTS", ..nowhere("DTS") },
        "a5" | "a6" => somewhere("Dolby Digital", "Dolby sound plays in some browsers only"),
        _ if object.starts_with("40") || object.starts_with('6') => EVERYWHERE,
        _ => nowhere(""),
    }
}

/// Encrypted sample entries of MP4 and the older ones of the iTunes store.
pub(crate) fn is_protected(codec: &str) -> bool {
    ["encv", "enca", "drms", "drmi"].contains(&codec)
}

/// Whether it is one of still pictures: a track of them is a cover, or one for each chapter.
pub(super) fn is_still(codec: &str) -> bool {
    let codec = codec.to_ascii_lowercase();
    let known = ["jpeg", "mjpa", "mjpb", "mjpg", "png", "tiff", "gif", "raw", "webp", "mp4v.6c"];
    known.contains(&&*codec) || ["mp4v.6d", "v_mjpeg", "v_uncompressed"].contains(&&*codec)
}

/// Whether it is one of pictures.
pub(crate) fn is_picture(codec: &str) -> bool {
    const OTHERS: [&str; 14] = [
        "mp4a", "mp3", "opus", "flac", "vorbis", "ac-3", "ec-3", "ac-4", "adpcm", "pcm", "alac",
        "dts", "wvtt", "stpp",
    ];
    let codec = codec.to_ascii_lowercase();
    !OTHERS.iter().any(|prefix| codec.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::{Reach, format, reach};

    #[test]
    fn what_not_every_browser_plays_has_a_name() {
        for (codec, name) in [
            ("avc1.64001f", None),
            ("mp4a.40.2", None),
            ("avc1.6e0014", Some("H.264 High 10")),
            ("avc1.f4000d", Some("H.264 4:4:4")),
            ("hvc1.1.6.L63.90", Some("HEVC")),
            ("ec-3", Some("Dolby Digital")),
            ("mp4a.a9", Some("DTS")),
            ("mp4a.40.33", Some("MPEG Audio Layer II")),
            ("mp4a.40.42", Some("xHE-AAC")),
            ("drms", Some("DRM")),
            ("xyz", Some("XYZ")),
        ] {
            assert_eq!(format(codec).as_deref(), name, "{codec}");
        }
    }

    #[test]
    fn who_plays_what() {
        for codec in [
            "avc1.64001f",
            "avc3.42c00d",
            "AVC1.4D401E",
            "vp9",
            "vp09.00.10.08",
            "vp09.02.10.10",
            "av01.0.08M.08",
            "mp4a.40.2",
            "mp4a.40.5",
            "mp4a.6b",
            "mp3",
            "opus",
            "flac",
            "pcm",
        ] {
            assert_eq!(reach(codec).0, Reach::Everywhere, "{codec}");
        }
        for codec in [
            "avc1.6e0014",
            "avc1.7a0029",
            "avc1.f4000d",
            "avc1.2c000d",
            "hvc1.1.6.L63.90",
            "hev1",
            "ac-3",
            "ec-3",
            "alac",
            "mp4a.40.33",
            "mp4a.40.42",
            "vp09.01.10.08",
            "av01.1.08M.08",
        ] {
            assert_eq!(reach(codec).0, Reach::Somewhere, "{codec}");
        }
        for codec in ["mp4v.20", "apch", "jpeg", "mp2v", "a_dts", "encv", "xyz"] {
            assert_eq!(reach(codec).0, Reach::Nowhere, "{codec}");
        }
    }
}
