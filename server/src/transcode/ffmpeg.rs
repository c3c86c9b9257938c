//! What ffmpeg and ffprobe are asked, with a bounded wait: killed with all that they started when
//! nobody waits any more. How they are started is `launch`'s.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::ChildStdin,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    IngestError,
    launch::{self, Group},
    measure::{Counter, Measured},
    probe::MediaInfo,
    profile::Plan,
    progress::{Lines, Progress},
};

/// The programs, by name or path.
#[derive(Clone, Debug)]
pub struct Tools {
    /// Converts.
    pub ffmpeg: PathBuf,
    /// Says what is in a file.
    pub ffprobe: PathBuf,
}

impl Default for Tools {
    fn default() -> Self {
        Self { ffmpeg: "ffmpeg".into(), ffprobe: "ffprobe".into() }
    }
}

/// How long ffprobe may look at a file.
const PROBE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long ffmpeg may stand still. It reports twice a second.
const STALL_TIMEOUT: Duration = Duration::from_secs(120);

/// How far into a file is looked for its tracks, in microseconds and bytes: those of a broadcast may
/// begin late, and what is not found here is not there for ffmpeg either.
const LOOKED_AT: [&str; 4] = ["-analyzeduration", "120M", "-probesize", "128M"];

/// What is read of ffprobe's answer: a file of hundreds of streams says no more.
const PROBED_MAX: u64 = 4 * 1024 * 1024;

/// A larger picture is not decoded.
const MAX_PIXELS: &str = "100000000";

/// Bytes taken at once of what ffmpeg tells.
const TAKEN: usize = 64 * 1024;

/// What is kept of ffmpeg's complaints, and the longest of its lines.
const COMPLAINT_MAX: u64 = 16 * 1024;

/// Containers of one file. None of the demuxers that open what a file names is among them.
pub(super) const CONTAINERS: &str = "matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,avi,flv,mpegts,mpeg,mpegvideo,asf,ogg,\
    mp3,aac,flac,wav,w64,aiff,caf,au,ac3,eac3,dts,amr,ape,wv,tta,mxf,nut,dv,h264,hevc,m4v,ivf,obu,\
    av1,rm,gif,mjpeg,vc1,wtv,yuv4mpegpipe,dsf,mpc,mpc8,gxf,3dostr";

fn input_arguments(input: &Path) -> [OsString; 6] {
    // `file:` keeps a name like `concat:a` from being an address.
    let mut address = OsString::from("file:");
    address.push(input);
    [
        "-protocol_whitelist".into(),
        "file,pipe".into(),
        "-format_whitelist".into(),
        CONTAINERS.into(),
        "-i".into(),
        address,
    ]
}

/// What a tool says of itself, in one line.
pub(crate) async fn version(program: &Path, patience: Duration) -> Result<String, IngestError> {
    let mut command = launch::command(program);
    command.arg("-version");
    let mut group = Group::start(program, command, Stdio::null()).await?;
    let (stdout, stderr) = (group.child.stdout.take(), group.child.stderr.take());
    let work = async {
        let (told, _) = tokio::join!(read(stdout, COMPLAINT_MAX), read(stderr, COMPLAINT_MAX));
        (told, group.child.wait().await)
    };
    let Ok((told, ended)) = timeout(patience, work).await else {
        group.kill().await;
        return Err(IngestError::Stalled(patience));
    };
    group.judge(ended, |status| IngestError::Ffmpeg(status.to_string()))?;
    let told = String::from_utf8_lossy(&told);
    Ok(told.lines().next().unwrap_or("it runs").to_owned())
}

/// ffprobe's answer about a file, in JSON.
pub(super) async fn probe(
    tools: &Tools,
    input: &Path,
    stop: &CancellationToken,
) -> Result<Vec<u8>, IngestError> {
    let mut command = launch::command(&tools.ffprobe);
    command
        .args(["-v", "error", "-of", "json", "-show_format", "-show_streams"])
        .args(LOOKED_AT)
        .args(input_arguments(input));
    let mut group = Group::start(&tools.ffprobe, command, Stdio::null()).await?;
    let (stdout, stderr) = (group.child.stdout.take(), group.child.stderr.take());
    let work = async {
        let (told, _) = tokio::join!(read(stdout, PROBED_MAX), read(stderr, COMPLAINT_MAX));
        (told, group.child.wait().await)
    };
    let done = tokio::select! {
        () = stop.cancelled() => Err(IngestError::Stopped),
        done = timeout(PROBE_TIMEOUT, work) => done.map_err(|_| IngestError::Stalled(PROBE_TIMEOUT)),
    };
    match done {
        Ok((told, ended)) => {
            group.judge(ended, |_| IngestError::NoMedia(input.to_owned())).map(|()| told)
        }
        Err(error) => {
            group.kill().await;
            Err(error)
        }
    }
}

/// Counts every packet of the tracks that are taken, without decoding any.
pub(super) async fn measure(
    tools: &Tools,
    input: &Path,
    media: &MediaInfo,
    stop: &CancellationToken,
) -> Result<Measured, IngestError> {
    let mut command = launch::command(&tools.ffprobe);
    let entries = "packet=stream_index,pts_time,dts_time,duration_time,flags";
    command
        .args(["-v", "error", "-show_entries", entries, "-of", "compact=p=0:nk=0"])
        .args(LOOKED_AT)
        .args(input_arguments(input));
    let mut group = Group::start(&tools.ffprobe, command, Stdio::null()).await?;
    let (stdout, stderr) = (group.child.stdout.take(), group.child.stderr.take());
    let mut counter = Counter::new(media);
    let work = async {
        let lines = each_line(stdout, |line| counter.read(line));
        let (counted, _) = tokio::join!(lines, read(stderr, COMPLAINT_MAX));
        counted?;
        let ended = timeout(STALL_TIMEOUT, group.child.wait()).await;
        ended.map_err(|_| IngestError::Stalled(STALL_TIMEOUT))
    };
    let done = tokio::select! {
        () = stop.cancelled() => Err(IngestError::Stopped),
        done = work => done,
    };
    if done.is_err() {
        group.kill().await;
    }
    let judged = group.judge(done?, |_| IngestError::NoMedia(input.to_owned()));
    let measured = counter.finish();
    // Damage on the way ends it badly; what was counted up to there is true.
    if measured.start_s().is_none() {
        judged?;
    }
    Ok(measured)
}

/// Reads to the end, line by line of bounded length; a program that stands still has failed.
async fn each_line(
    pipe: Option<impl AsyncReadExt + Unpin>,
    mut take: impl FnMut(&str),
) -> Result<(), IngestError> {
    let Some(pipe) = pipe else { return Ok(()) };
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut bounded = (&mut reader).take(COMPLAINT_MAX);
        match timeout(STALL_TIMEOUT, bounded.read_until(b'\n', &mut line)).await {
            Err(_) => return Err(IngestError::Stalled(STALL_TIMEOUT)),
            Ok(Ok(0) | Err(_)) => return Ok(()),
            Ok(Ok(_)) => take(&String::from_utf8_lossy(&line)),
        }
    }
}

/// Makes the rendition in `folder`.
pub(super) async fn transcode(
    tools: &Tools,
    input: &Path,
    folder: &Path,
    plan: &Plan,
    duration_s: Option<f64>,
    stop: &CancellationToken,
    progress: impl Fn(Progress),
) -> Result<(), IngestError> {
    let mut command = launch::command(&tools.ffmpeg);
    command
        .current_dir(folder)
        .args(["-hide_banner", "-v", "error", "-nostdin", "-nostats", "-progress", "pipe:1"])
        .args(plan.before())
        .args(LOOKED_AT)
        .args(input_arguments(input))
        .args(plan.arguments());
    let mut group = Group::start(&tools.ffmpeg, command, Stdio::null()).await?;
    let (stdout, stderr) = (group.child.stdout.take(), group.child.stderr.take());
    let mut lines = Lines::default();
    let reports = each_line(stdout, |line| {
        lines.read(line, duration_s).map(&progress);
    });
    let work = async {
        let (reported, complaint) = tokio::join!(reports, read(stderr, COMPLAINT_MAX));
        reported?;
        let ended = timeout(STALL_TIMEOUT, group.child.wait()).await;
        let ended = ended.map_err(|_| IngestError::Stalled(STALL_TIMEOUT))?;
        group.judge(ended, |status| complain(&complaint, status))
    };
    let done = tokio::select! {
        () = stop.cancelled() => Err(IngestError::Stopped),
        done = work => done,
    };
    if done.is_err() {
        group.kill().await;
    }
    done
}

/// What ffmpeg reads.
pub(super) enum Feed<F> {
    /// A file, by its path.
    File(PathBuf),
    /// What this writes into its standard input: of one of these formats.
    Pipe(&'static str, F),
}

/// Lets ffmpeg draw something that nobody waits for out of a feed: behind everything else, on one
/// thread, and killed after `limit`. The arguments are those for reading and those for writing;
/// what it writes goes to `take` piece by piece.
pub(super) async fn draw<F, W>(
    tools: &Tools,
    feed: Feed<F>,
    (before, after): (&[&str], &[&str]),
    mut take: impl FnMut(&[u8]),
    limit: Duration,
    stop: &CancellationToken,
) -> Result<(), IngestError>
where
    F: FnOnce(ChildStdin) -> W,
    W: Future<Output = Result<(), IngestError>>,
{
    let mut command = launch::command(&tools.ffmpeg);
    command.args(["-hide_banner", "-v", "error", "-nostats", "-filter_threads", "1"]);
    command.args(["-threads", "1", "-max_pixels", MAX_PIXELS]).args(before);
    let (stdin, write) = match feed {
        Feed::File(path) => {
            command.arg("-nostdin").args(input_arguments(&path));
            (Stdio::null(), None)
        }
        Feed::Pipe(formats, write) => {
            command.args(["-protocol_whitelist", "pipe", "-format_whitelist", formats]);
            command.args(["-i", "pipe:0"]);
            (Stdio::piped(), Some(write))
        }
    };
    command.args(after);
    let mut group = Group::start(&tools.ffmpeg, command, stdin).await?;
    group.step_back();
    let (stdin, stdout) = (group.child.stdin.take(), group.child.stdout.take());
    let stderr = group.child.stderr.take();
    let fed = async {
        match (stdin, write) {
            (Some(stdin), Some(write)) => write(stdin).await,
            _ => Ok(()),
        }
    };
    let taken = async {
        let Some(mut stdout) = stdout else { return };
        let mut bytes = vec![0; TAKEN];
        while let Ok(read @ 1..) = stdout.read(&mut bytes).await {
            take(&bytes[..read]);
        }
    };
    let work = async {
        let (fed, (), complaint) = tokio::join!(fed, taken, read(stderr, COMPLAINT_MAX));
        fed?;
        let ended = group.child.wait().await;
        group.judge(ended, |status| complain(&complaint, status))
    };
    let done = tokio::select! {
        () = stop.cancelled() => Err(IngestError::Stopped),
        done = timeout(limit, work) => done.unwrap_or(Err(IngestError::Stalled(limit))),
    };
    if done.is_err() {
        group.kill().await;
    }
    done
}

/// Reads to the end; keeps the first `most` bytes and drops the rest, so that the writer is never
/// held up.
async fn read(pipe: Option<impl AsyncReadExt + Unpin>, most: u64) -> Vec<u8> {
    let mut kept = Vec::new();
    if let Some(mut pipe) = pipe {
        let _ = (&mut pipe).take(most).read_to_end(&mut kept).await;
        let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
    }
    kept
}

fn complain(stderr: &[u8], status: ExitStatus) -> IngestError {
    let text = String::from_utf8_lossy(stderr);
    if text.contains("No space left on device") || text.contains("Disk quota exceeded") {
        return IngestError::DiskFull;
    }
    let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty());
    IngestError::Ffmpeg(last.map_or_else(|| status.to_string(), str::to_owned))
}
