//! A picture or the sound drawn out of a film that nobody waits for: for posters and waveforms.

use std::{path::PathBuf, time::Duration};

use tokio::{
    io::{AsyncWriteExt, copy},
    process::ChildStdin,
    task::spawn_blocking,
};
use tokio_util::sync::CancellationToken;

use super::{
    IngestError,
    ffmpeg::{CONTAINERS, Feed, Tools, draw},
};
use crate::storage::local::open_below;

/// How long one picture may take.
const PICTURE_LIMIT: Duration = Duration::from_secs(60);
/// How long the sound of a whole film may take: it is decoded some hundred times as fast as heard.
const SOUND_LIMIT: Duration = Duration::from_secs(600);
/// The most bytes of a picture.
const PICTURE_MAX: usize = 4 << 20;
/// The longest side of a poster in pixels.
const POSTER_SIDE: u32 = 960;
/// The longest side that a ThumbHash is made of.
const TINY_SIDE: u32 = 100;
/// Samples a second of what [`sound`] hears.
pub const SOUND_RATE: u32 = 8_000;

/// Where ffmpeg finds what it reads.
#[derive(Clone, Debug)]
pub enum MediaInput {
    /// A media file of its own.
    File(PathBuf),
    /// Files that are one stream when they are read one after the other.
    Chain {
        /// The folder that all of them have to lie below, in canonical form.
        root: PathBuf,
        /// In their order.
        files: Vec<PathBuf>,
    },
}

/// The format of a still picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Still {
    /// JPEG.
    Jpeg,
    /// WebP.
    Webp,
    /// PNG.
    Png,
    /// GIF.
    Gif,
    /// Windows bitmap.
    Bmp,
}

impl Still {
    /// OutputFormat by its first bytes.
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0xFF, 0xD8, 0xFF, ..] => Some(Self::Jpeg),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(Self::Png),
            [b'G', b'I', b'F', b'8', ..] => Some(Self::Gif),
            [b'B', b'M', ..] => Some(Self::Bmp),
            _ => None,
        }
    }

    fn demuxer(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg_pipe",
            Self::Webp => "webp_pipe",
            Self::Png => "png_pipe",
            Self::Gif => "gif",
            Self::Bmp => "bmp_pipe",
        }
    }
}

impl MediaInput {
    fn feed(
        self,
        formats: &'static str,
    ) -> Feed<
        impl FnOnce(ChildStdin) -> futures_util::future::BoxFuture<'static, Result<(), IngestError>>,
    > {
        match self {
            Self::File(path) => Feed::File(path),
            Self::Chain { root, files } => {
                Feed::Pipe(formats, move |stdin| Box::pin(concat(root, files, stdin)) as _)
            }
        }
    }
}

/// Writes the files one after the other, until the other side has enough.
async fn concat(
    root: PathBuf,
    files: Vec<PathBuf>,
    mut stdin: ChildStdin,
) -> Result<(), IngestError> {
    for path in files {
        let (root, at) = (root.clone(), path.clone());
        let opened = spawn_blocking(move || open_below(&root, &at)).await;
        let Ok(Ok((file, _))) = opened else { return Err(IngestError::UnreadableInput(path)) };
        if copy(&mut tokio::fs::File::from_std(file), &mut stdin).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// A picture that stands for the film, as WebP: of some fifty frames from `at_s` on the one that is
/// most like the others, which is no black one.
///
/// # Errors
/// There is no picture in it, or none that ffmpeg can read.
pub async fn picture(
    tools: &Tools,
    film: MediaInput,
    at_s: f64,
    stop: &CancellationToken,
) -> Result<Vec<u8>, IngestError> {
    let at_s = format!("{at_s:.3}");
    let before = if at_s == "0.000" { &[][..] } else { &["-ss", &at_s] };
    let filter = format!("thumbnail=50,{}", fitted(POSTER_SIDE));
    let after = ["-map", "0:V:0", "-an", "-vf", &filter, "-frames:v", "1"];
    let after = [&after[..], &WEBP].concat();
    drawn(tools, film.feed(CONTAINERS), (before, &after), stop).await
}

/// The cover that lies in a music file, as WebP.
///
/// # Errors
/// There is none, or none that ffmpeg can read.
pub async fn cover(
    tools: &Tools,
    film: MediaInput,
    stop: &CancellationToken,
) -> Result<Vec<u8>, IngestError> {
    let filter = fitted(POSTER_SIDE);
    let after = ["-map", "0:v:0", "-an", "-vf", &filter, "-frames:v", "1"];
    let after = [&after[..], &WEBP].concat();
    drawn(tools, film.feed(CONTAINERS), (&[], &after), stop).await
}

/// A picture that somebody else has found, as WebP.
///
/// # Errors
/// It is none that ffmpeg can read.
pub async fn still(
    tools: &Tools,
    bytes: Vec<u8>,
    still: Still,
    stop: &CancellationToken,
) -> Result<Vec<u8>, IngestError> {
    let filter = fitted(POSTER_SIDE);
    let after = [&["-vf", &filter, "-frames:v", "1"][..], &WEBP].concat();
    let format = still.demuxer();
    let feed = Feed::Pipe(format, move |mut stdin: ChildStdin| async move {
        // ffmpeg may have enough before the end.
        let _ = stdin.write_all(&bytes).await;
        Ok(())
    });
    drawn(tools, feed, (&["-f", format], &after), stop).await
}

/// A still picture made small enough for a ThumbHash, as PAM with an alpha channel.
///
/// # Errors
/// It is no picture that ffmpeg can read.
pub async fn tiny(
    tools: &Tools,
    film: MediaInput,
    still: Still,
    stop: &CancellationToken,
) -> Result<Vec<u8>, IngestError> {
    let filter = fitted(TINY_SIDE);
    let after = ["-vf", &filter, "-frames:v", "1", "-pix_fmt", "rgba", "-c:v", "pam"];
    let after = [&after[..], &["-f", "image2pipe", "pipe:1"]].concat();
    let format = still.demuxer();
    drawn(tools, film.feed(format), (&["-f", format], &after), stop).await
}

/// Hears the film: one channel of signed 16-bit samples, least byte first, in pieces of any
/// length, [`SOUND_RATE`] a second.
///
/// # Errors
/// There is no sound in it, or none that ffmpeg can read.
pub async fn sound(
    tools: &Tools,
    film: MediaInput,
    take: impl FnMut(&[u8]),
    stop: &CancellationToken,
) -> Result<(), IngestError> {
    let rate = SOUND_RATE.to_string();
    let after = ["-map", "0:a:0", "-vn", "-ac", "1", "-ar", &rate, "-f", "s16le", "pipe:1"];
    draw(tools, film.feed(CONTAINERS), (&[], &after), take, SOUND_LIMIT, stop).await
}

/// One WebP picture on standard output.
const WEBP: [&str; 9] =
    ["-c:v", "libwebp", "-quality", "72", "-compression_level", "5", "-f", "image2pipe", "pipe:1"];

/// Square pixels, the longest side at most so long.
fn fitted(side: u32) -> String {
    format!(
        "scale=w='min({side},iw*if(sar,sar,1))':h='min({side},ih)':\
         force_original_aspect_ratio=decrease,setsar=1"
    )
}

async fn drawn<F, W>(
    tools: &Tools,
    feed: Feed<F>,
    arguments: (&[&str], &[&str]),
    stop: &CancellationToken,
) -> Result<Vec<u8>, IngestError>
where
    F: FnOnce(ChildStdin) -> W,
    W: Future<Output = Result<(), IngestError>>,
{
    let mut picture = Vec::new();
    let take = |bytes: &[u8]| {
        if picture.len() <= PICTURE_MAX {
            picture.extend_from_slice(bytes);
        }
    };
    draw(tools, feed, arguments, take, PICTURE_LIMIT, stop).await?;
    if picture.is_empty() || picture.len() > PICTURE_MAX {
        return Err(IngestError::Ffmpeg("it found no picture".into()));
    }
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use super::Still;

    #[test]
    fn stills_are_told_by_their_first_bytes() {
        assert_eq!(Still::of(b"\xFF\xD8\xFF\xE0\0\x10JFIF"), Some(Still::Jpeg));
        assert_eq!(Still::of(b"RIFF\x10\0\0\0WEBPVP8 "), Some(Still::Webp));
        for other in [&b""[..], b"\xFF\xD8", b"RIFF\x10\0\0\0WAVEfmt ", b"\x89PNG"] {
            assert_eq!(Still::of(other), None, "{other:?}");
        }
    }
}
