//! Which media type each file of a channel is served as: ours, because the usual tables call
//! playlists `audio/x-mpegurl` and segments `video/vnd.dlna.mpeg-tts`.

/// Playlists (RFC 8216 §10).
pub const PLAYLIST: &str = "application/vnd.apple.mpegurl";

/// What is none of the types that are known.
pub const OTHER: &str = "application/octet-stream";

/// The type of a file by its name's extension, without regard to case.
pub fn of(name: &str) -> &'static str {
    let extension = extension(name).unwrap_or_default().to_ascii_lowercase();
    match &*extension {
        "m3u8" => PLAYLIST,
        "ts" => "video/mp2t",
        "m4s" | "mp4" | "m4v" | "cmfv" | "init" => "video/mp4",
        "m4a" | "cmfa" => "audio/mp4",
        "vtt" => "text/vtt; charset=utf-8",
        "webm" => "video/webm",
        "mov" => "video/quicktime",
        "mp3" => "audio/mpeg",
        "aac" => "audio/aac",
        "ogg" | "opus" => "audio/ogg",
        "flac" => "audio/flac",
        "wav" => "audio/wav",
        "ac3" => "audio/ac3",
        "ec3" => "audio/eac3",
        "webp" => "image/webp",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "json" => "application/json",
        _ => OTHER,
    }
}

/// What media are served as, other than by their names.
const BY_CONTENT: [&str; 16] = [
    "video/mp4",
    "audio/mp4",
    "video/webm",
    "audio/webm",
    "video/x-matroska",
    "audio/x-matroska",
    "video/mp2t",
    "video/ogg",
    "audio/ogg",
    "audio/mpeg",
    "audio/aac",
    "audio/flac",
    "audio/wav",
    "audio/ac3",
    "audio/eac3",
    OTHER,
];

/// The type that is told of a file with its codecs, and by its name where that is none of ours.
pub fn of_mime(mime: &str, name: &str) -> &'static str {
    let told = mime.split(';').next().unwrap_or_default().trim();
    let known = BY_CONTENT.iter().find(|known| told.eq_ignore_ascii_case(known));
    known.copied().unwrap_or_else(|| of(name))
}

/// What stands behind the last dot, if something stands before it.
pub fn extension(name: &str) -> Option<&str> {
    let (stem, extension) = name.rsplit_once('.')?;
    (!stem.is_empty() && !extension.is_empty() && !extension.contains('/')).then_some(extension)
}

#[cfg(test)]
mod tests {
    use super::{extension, of, of_mime};

    #[test]
    fn types_and_extensions() {
        assert_eq!(of("a/SEG.TS"), "video/mp2t");
        assert_eq!(of("x.m4s"), "video/mp4");
        assert_eq!(of("es.vtt"), "text/vtt; charset=utf-8");
        assert_eq!(of("k.key"), "application/octet-stream");
        for (mime, served) in [
            ("video/mp2t; codecs=\"avc1.42c00a\"", "video/mp2t"),
            ("Audio/MPEG", "audio/mpeg"),
            ("application/octet-stream", "application/octet-stream"),
            ("text/html", "video/mp4"),
            ("", "video/mp4"),
        ] {
            assert_eq!(of_mime(mime, "film.mp4"), served, "{mime}");
        }
        assert_eq!(extension(".mp4"), None);
        assert_eq!(extension("a.b/c"), None);
    }
}
