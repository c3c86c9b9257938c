//! A channel of the bucket into the streams folder: written aside, compared with what the bucket
//! said of it, and put into its place in one step.

use std::path::{Component, Path, PathBuf};

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::{fs, io::AsyncWriteExt, runtime::Handle, task::spawn_blocking};

use super::{AT_ONCE, Meter, PublishError, PublishJob, Published, failed, patiently};
use crate::{
    catalog::{Problem, nfc},
    sources::complete::{self, CompleteChannel, Incomplete},
    sources::{BucketConfig, read_complete},
    storage::{Store, StoreError, local::FileVersion, s3::Bucket},
    transcode::{IngestError, Staging},
};

/// Bytes that are asked for at once.
const CHUNK: u64 = 4 << 20;

pub(super) async fn pull(
    job: &PublishJob,
    bucket: &Bucket,
    store: &BucketConfig,
) -> Result<Published, PublishError> {
    let failed = failed(bucket);
    let begin = job.channel.as_str();
    let objects = patiently(|| bucket.objects(begin)).await.map_err(&failed)?;
    let (source, id) = (store.clone(), job.channel.clone());
    let found =
        spawn_blocking(move || read_complete(&source, objects, &id, &Handle::current())).await;
    let found = found.unwrap_or(Err(Incomplete::Broken(Problem::Panicked)));
    let whole = found.map_err(|why| job.not_whole(why, bucket.label()))?;

    let taken = || PublishError::Taken {
        id: job.channel.clone(),
        place: job.streams.display().to_string(),
    };
    let name = if whole.bare { nfc(&whole.name) } else { job.channel.to_string() };
    if !job.replace && fs::symlink_metadata(job.streams.join(&name)).await.is_ok() {
        let (streams, id) = (job.streams.clone(), job.channel.clone());
        let here = spawn_blocking(move || complete::on_disk(&streams, &id)).await;
        let same = here.is_ok_and(|here| here.is_ok_and(|here| here.agrees(&whole)));
        let files = whole.files.len();
        let bytes = bytes_of(&whole);
        return if same { Ok(Published { files, bytes, there: files }) } else { Err(taken()) };
    }
    let told = |error| match error {
        IngestError::Exists(_) => taken(),
        other => other.into(),
    };
    let staging = Staging::open(&job.streams, &job.channel, job.replace).await.map_err(told)?;
    job.meter.expect(bytes_of(&whole));
    let fetching =
        stream::iter(files(&whole, staging.path())).map(|(key, stamp, path)| {
            let failed = &failed;
            async move {
                fetch(store, &key, stamp, &path, &job.meter).await.map_err(|why| why.told(failed))
            }
        });
    fetching.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    if whole.bare {
        let beside = whole.files.iter().filter(|(path, _)| *path != whole.name);
        let beside = beside.map(|(path, _)| nfc(path)).collect();
        staging.publish_file(&name, beside).await.map_err(told)?;
    } else {
        let folder = staging.path().to_owned();
        let read = spawn_blocking(move || {
            let folder = std::fs::canonicalize(folder).ok()?;
            Some(complete::in_folder(&folder))
        });
        let read = read.await.ok().flatten();
        let read = read.unwrap_or(Err(Incomplete::Broken(Problem::Panicked)));
        let read = read.map_err(|why| job.not_whole(why, bucket.label()))?;
        if !read.agrees(&whole) {
            return Err(PublishError::Changed(job.channel.clone()));
        }
        staging.publish().await.map_err(told)?;
    }
    let bytes = bytes_of(&whole);
    Ok(Published { files: whole.files.len(), bytes, there: 0 })
}

/// How long all of it claims to be.
fn bytes_of(whole: &CompleteChannel) -> u64 {
    whole.files.iter().fold(0, |all: u64, (_, stamp)| all.saturating_add(stamp.size))
}

/// Key, stamp and place of each file.
fn files(whole: &CompleteChannel, folder: &Path) -> Vec<(String, FileVersion, PathBuf)> {
    let each = whole.files.iter().map(|(path, stamp)| {
        if whole.bare {
            return (path.clone(), *stamp, folder.join(nfc(path)));
        }
        (format!("{}/{path}", whole.name), *stamp, folder.join(path))
    });
    each.collect()
}

enum Unfetched {
    Store(StoreError),
    Disk(PathBuf, std::io::Error),
}

impl Unfetched {
    fn told(self, failed: &impl Fn(StoreError) -> PublishError) -> PublishError {
        match self {
            Self::Store(why) => failed(why),
            Self::Disk(_, why) if why.kind() == std::io::ErrorKind::StorageFull => {
                IngestError::DiskFull.into()
            }
            Self::Disk(path, why) => PublishError::Disk { what: path.display().to_string(), why },
        }
    }
}

/// One file, with the time that the bucket says: nodes that take the same channel call its bytes
/// the same.
async fn fetch(
    store: &BucketConfig,
    key: &str,
    stamp: FileVersion,
    path: &Path,
    meter: &Meter,
) -> Result<(), Unfetched> {
    let unwritten = |why| Unfetched::Disk(path.to_owned(), why);
    // The catalogue resolved every path inside the folder; nothing else is ever written.
    if !path.components().all(|part| matches!(part, Component::Normal(_) | Component::RootDir)) {
        return Err(unwritten(std::io::ErrorKind::InvalidFilename.into()));
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).await.map_err(unwritten)?;
    }
    let mut file = fs::File::create_new(path).await.map_err(unwritten)?;
    let mut first = 0;
    while first < stamp.size {
        let end = stamp.size.min(first + CHUNK);
        let bytes = store.edge.peek(key, stamp, first..end).await.map_err(Unfetched::Store)?;
        if bytes.len() as u64 != end - first {
            return Err(Unfetched::Store(StoreError::Away("its answer was cut off".into())));
        }
        file.write_all(&bytes).await.map_err(unwritten)?;
        meter.add(end - first);
        first = end;
    }
    file.flush().await.map_err(unwritten)?;
    let file = file.into_std().await;
    let dated = spawn_blocking(move || file.set_modified(stamp.modified())).await;
    dated.unwrap_or_else(|_| Err(std::io::ErrorKind::Other.into())).map_err(unwritten)
}
