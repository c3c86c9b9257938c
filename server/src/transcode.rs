//! Files in, channels out: `carrete convert`. A channel is made in a hidden folder beside the
//! others and takes its place in one step, whole or not at all.

mod arguments;
mod bytes;
mod each;
mod even;
mod ffmpeg;
mod launch;
mod master;
mod measure;
mod note;
mod probe;
mod profile;
mod progress;
mod staging;
mod thumbnail;

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use app::catalog::ChannelId;
use tokio_util::sync::CancellationToken;

pub use each::{OutputFormat, channel_of, convert_each};
pub use ffmpeg::Tools;
pub(crate) use ffmpeg::version;
pub use launch::hold;
pub use note::Note;
pub use profile::ProfileName;
pub use progress::Progress;
pub(crate) use staging::Staging;
pub use thumbnail::{MediaInput, SOUND_RATE, Still, cover, picture, sound, still, tiny};

/// A disk with less than this cannot even take one segment.
const FULL_BYTES: u64 = 1 << 20;

/// What is to be made of what.
#[derive(Clone, Debug)]
pub struct ConvertJob {
    /// A media file.
    pub input: PathBuf,
    /// The channel to be.
    pub channel: ChannelId,
    /// Its quality.
    pub profile: ProfileName,
    /// The folder that the channels lie in.
    pub streams: PathBuf,
    /// Whether a channel of this name gives way.
    pub replace: bool,
    /// The programs that do the work.
    pub tools: Tools,
}

/// A channel that is in place.
#[derive(Clone, Debug, PartialEq)]
pub struct Converted {
    /// Its length in seconds.
    pub duration_s: f64,
    /// What was done beyond what was asked for.
    pub notes: Vec<Note>,
}

/// Why nothing of a channel is visible, in one sentence each.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// No such file.
    #[error("there is no file {}", .0.display())]
    NoInput(PathBuf),
    /// A folder, a device or something without permission.
    #[error("{} cannot be read as a file", .0.display())]
    UnreadableInput(PathBuf),
    /// A list of other files or addresses.
    #[error("{} is a playlist, not a media file; convert the files that it names", .0.display())]
    Playlist(PathBuf),
    /// Nothing that ffmpeg can read.
    #[error("{} holds no video and no music that ffmpeg can read", .0.display())]
    NoMedia(PathBuf),
    /// The file stops before its announced end.
    #[error("{} is damaged: it ends after {reached:.0} of {announced:.0} seconds", .input.display())]
    CutShort {
        /// The file.
        input: PathBuf,
        /// Seconds that could be read.
        reached: f64,
        /// Seconds that it says it has.
        announced: f64,
    },
    /// The name is taken.
    #[error("there is a channel {0} already; give another name, or --replace")]
    Exists(ChannelId),
    /// A file name that makes no id.
    #[error("{} cannot name a channel: {why}", .input.display())]
    NoName {
        /// The file.
        input: PathBuf,
        /// What is wrong with it.
        why: app::catalog::ChannelIdError,
    },
    /// The streams folder cannot be written.
    #[error("{} cannot be written: {why}", .folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// No space left.
    #[error("the disk is full; nothing of the channel was kept")]
    DiskFull,
    /// No ffmpeg or ffprobe.
    #[error("{0} is not installed; install ffmpeg (Debian: apt-get install ffmpeg)")]
    NoTool(String),
    /// A codec that HLS cannot carry.
    #[error("this file cannot be taken over as it is; choose auto, low, medium or high")]
    NotCopyable,
    /// ffmpeg gave up.
    #[error("ffmpeg could not convert the file: {0}")]
    Ffmpeg(String),
    /// ffmpeg no longer moved.
    #[error("ffmpeg made no progress for {} seconds", .0.as_secs())]
    Stalled(Duration),
    /// Ctrl-C.
    #[error("stopped; nothing of the channel was kept")]
    Stopped,
}

/// Makes one channel. What it tells meanwhile goes to `progress`, about twice a second.
///
/// With `stop`, or if the future is dropped, ffmpeg is killed and nothing stays.
pub async fn convert(
    job: &ConvertJob,
    stop: &CancellationToken,
    progress: impl Fn(Progress),
) -> Result<Converted, IngestError> {
    let input = probe::readable(&job.input).await?;
    let staging = staging::Staging::open(&job.streams, &job.channel, job.replace).await?;
    let sound = match job.profile {
        ProfileName::Source => probe::Sound::Copied,
        _ => probe::Sound::Encoded,
    };
    let media = probe::probe(&job.tools, &input, sound, stop).await?;
    let measured = ffmpeg::measure(&job.tools, &input, &media, stop).await?;
    let media = media.with_what_is_there(&measured);
    if let Some(error) = cut_short(job, &input, &media, &measured).await {
        return Err(error);
    }
    let plan = profile::Plan::new(job.profile, &media, &measured);
    let folder = match &plan.below {
        Some(below) => staging.make_folder(below)?,
        None => staging.path().to_owned(),
    };
    let length_s = measured.length_s().or(media.duration_s);
    let made =
        ffmpeg::transcode(&job.tools, &input, &folder, &plan, length_s, stop, progress).await;
    made.map_err(|error| match error {
        IngestError::Ffmpeg(_) if plan.copies() => IngestError::NotCopyable,
        other => other,
    })?;
    let rendition = master::Rendition::read(&folder).map_err(|why| staging.failed(why))?;
    let Some(rendition) = rendition else {
        // Some versions of ffmpeg end well on a full disk, with an empty playlist.
        let full = staging::free_bytes(&job.streams).is_some_and(|free| free < FULL_BYTES);
        let why =
            if full { IngestError::DiskFull } else { IngestError::NoMedia(job.input.clone()) };
        return Err(why);
    };
    if let Some(announced) = measured.length_s()
        && is_short(rendition.duration_s, announced)
    {
        let (input, reached) = (job.input.clone(), rendition.duration_s);
        return Err(IngestError::CutShort { input, reached, announced });
    }
    if let Some(below) = &plan.below {
        let rendition = rendition.with_frame_rate(plan.frame_rate);
        staging.write("playlist.m3u8", &rendition.master(below, &plan))?;
    }
    if let Some(title) = title(&media, &job.input).filter(|title| title != job.channel.as_str()) {
        let description = toml::Table::from_iter([("title".to_owned(), title.into())]);
        staging.write("channel.toml", &description.to_string())?;
    }
    if stop.is_cancelled() {
        return Err(IngestError::Stopped);
    }
    staging.publish().await?;
    Ok(Converted { duration_s: rendition.duration_s, notes: plan.notes })
}

/// Whether so much of what was announced is missing that it is no rounding.
fn is_short(reached: f64, announced: f64) -> bool {
    reached < announced * 0.95 - 1.0
}

/// The error of a file that ends before its announced end. What a container announces is its length
/// or its end, and sometimes neither: where it also says how many bytes it has, those decide.
async fn cut_short(
    job: &ConvertJob,
    input: &Path,
    media: &probe::MediaInfo,
    measured: &measure::Measured,
) -> Option<IngestError> {
    let announced = media.announced_s?;
    let track = measured.picture.or(measured.sound).filter(|track| track.clocks == 1)?;
    let reached = track.end_s - track.start_s;
    let is_whole = !is_short(reached, announced) || !is_short(track.end_s, announced);
    if is_whole || bytes::are_missing(input).await == Some(false) {
        return None;
    }
    Some(IngestError::CutShort { input: job.input.clone(), reached, announced })
}

/// The title that the file itself carries, else its name without the extension.
fn title(media: &probe::MediaInfo, input: &Path) -> Option<String> {
    const TITLE_MAX_CHARS: usize = 200;
    let given = media.title.clone().or_else(|| Some(input.file_stem()?.to_str()?.to_owned()))?;
    let plain: String = given.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let title: String = plain.trim().chars().take(TITLE_MAX_CHARS).collect();
    (!title.is_empty()).then_some(title)
}
