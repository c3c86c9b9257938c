//! A channel of the streams folder into the bucket: first what a playlist names, then the playlists,
//! the channel's own one last. Before that nothing of it shows.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::{task::spawn_blocking, time::sleep};

use super::{
    AT_ONCE, PART_BYTES, PublishError, PublishJob, Published, failed, patiently,
    record::{Begun, Record, part_bytes},
};
use crate::{
    catalog::{Problem, nfc, stem},
    hls::media_type,
    sources::complete::{self, CompleteChannel, Incomplete},
    storage::{
        Store, StoreError,
        local::{FileVersion, open_below},
        s3::Bucket,
    },
};

/// The playlist of a channel.
const MAIN: &str = "playlist.m3u8";
/// Bytes that are read at once to know what a file holds.
const CHUNK: usize = 1 << 20;
/// How often a copy under way is looked at, and how long it is waited between two looks.
const LOOKS: usize = 8;
const SETTLES: Duration = Duration::from_millis(500);

/// A file of the channel, to be put there.
#[derive(Clone, Debug)]
struct Upload {
    root: PathBuf,
    path: PathBuf,
    key: String,
    stamp: FileVersion,
    /// The hash of what it holds.
    mark: String,
    turn: Turn,
    /// It is there already, with the same content.
    there: bool,
}

/// When a file is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Media,
    Playlist,
    Main,
}

pub(super) async fn push(job: &PublishJob, bucket: &Bucket) -> Result<Published, PublishError> {
    let whole = look(job).await?;
    let failed = failed(bucket);
    let root = fs::canonicalize(&job.streams)
        .map_err(|why| PublishError::Disk { what: job.streams.display().to_string(), why })?;
    let here = uploads(job, &whole, &root);
    let begin = begin_of(job, &whole);
    let listed = patiently(|| bucket.objects(&begin)).await.map_err(&failed)?;
    let listed: HashMap<String, FileVersion> =
        listed.into_iter().map(|object| (object.key, object.stamp)).collect();
    let judged = stream::iter(here).map(|upload| {
        let (listed, failed) = (&listed, &failed);
        async move { judge(upload, bucket, listed).await.map_err(|why| why.told(failed)) }
    });
    let all: Vec<Upload> = judged.buffered(AT_ONCE).try_collect().await?;

    let published = Published {
        files: all.len(),
        bytes: all.iter().map(|upload| upload.stamp.size).sum(),
        there: all.iter().filter(|upload| upload.there).count(),
    };
    if published.there == published.files {
        return Ok(published);
    }
    job.meter.expect(published.bytes);
    let main = all.iter().find(|upload| upload.turn == Turn::Main);
    if let Some(main) = main.filter(|main| listed.contains_key(&main.key)) {
        if !main.there && !job.replace {
            let (id, place) = (job.channel.clone(), bucket.label());
            return Err(PublishError::Taken { id, place });
        }
        // Half of one channel and half of another would show; an only file gives way in one step, and
        // one that is to stay need not.
        if !whole.bare || (!main.there && all.len() > 1) {
            patiently(|| bucket.remove(&main.key)).await.map_err(&failed)?;
        }
    }
    for turn in [Turn::Media, Turn::Playlist, Turn::Main] {
        if turn == Turn::Main {
            unchanged(job, &all).await?;
            if job.replace && !whole.bare {
                sweep(bucket, &all, &listed).await.map_err(&failed)?;
            }
        }
        let missing = all.iter().filter(|upload| {
            // The playlist was taken away above, wherever anything was missing.
            upload.turn == turn && (!upload.there || (turn == Turn::Main && !whole.bare))
        });
        let missing: Vec<Upload> = missing.cloned().collect();
        if turn == Turn::Media {
            let stays = |upload: &&Upload| upload.turn != Turn::Main || whole.bare;
            let there = all.iter().filter(|upload| upload.there).filter(stays);
            job.meter.add(there.map(|upload| upload.stamp.size).sum());
        }
        let sending = stream::iter(missing).map(|upload| {
            let failed = &failed;
            async move { send(job, bucket, &upload).await.map_err(|why| why.told(failed)) }
        });
        sending.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    }
    Ok(published)
}

/// Why a file did not get there.
enum Unsent {
    Store(StoreError),
    Disk(PathBuf, io::Error),
}

impl From<StoreError> for Unsent {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Unsent {
    fn told(self, failed: &impl Fn(StoreError) -> PublishError) -> PublishError {
        match self {
            Self::Store(why) => failed(why),
            Self::Disk(path, why) => PublishError::Disk { what: path.display().to_string(), why },
        }
    }
}

/// The channel, once nobody writes to it any more.
async fn look(job: &PublishJob) -> Result<CompleteChannel, PublishError> {
    let mut looks = 0;
    loop {
        let (streams, id) = (job.streams.clone(), job.channel.clone());
        let found = spawn_blocking(move || complete::on_disk(&streams, &id)).await;
        let found = found.unwrap_or(Err(Incomplete::Broken(Problem::Panicked)));
        looks += 1;
        match found {
            Err(Incomplete::Broken(Problem::Changing)) if looks < LOOKS => sleep(SETTLES).await,
            found => {
                return found.map_err(|why| job.not_whole(why, job.streams.display().to_string()));
            }
        }
    }
}

/// What all keys of a channel begin with; of a bare file also the keys of what lies beside it.
fn begin_of(job: &PublishJob, whole: &CompleteChannel) -> String {
    if whole.bare { format!("{}.", stem(&nfc(&whole.name))) } else { format!("{}/", job.channel) }
}

fn uploads(job: &PublishJob, whole: &CompleteChannel, root: &Path) -> Vec<Upload> {
    let each = whole.files.iter().map(|(path, stamp)| {
        let is_playlist = media_type::of(path) == media_type::PLAYLIST;
        let (place, key, turn) = if whole.bare {
            // What says that it is hidden is there before it.
            let turn = if *path == whole.name { Turn::Main } else { Turn::Media };
            (root.join(path), nfc(path), turn)
        } else {
            let turn = match path.as_str() {
                MAIN => Turn::Main,
                _ if is_playlist => Turn::Playlist,
                _ => Turn::Media,
            };
            (root.join(&whole.name).join(path), format!("{}/{path}", job.channel), turn)
        };
        let (root, mark) = (root.to_owned(), String::new());
        Upload { root, path: place, key, stamp: *stamp, mark, turn, there: false }
    });
    each.collect()
}

/// Looks at what a file holds, and whether the bucket has it.
async fn judge(
    mut upload: Upload,
    bucket: &Bucket,
    listed: &HashMap<String, FileVersion>,
) -> Result<Upload, Unsent> {
    let (root, path) = (upload.root.clone(), upload.path.clone());
    let hash = spawn_blocking(move || {
        let mut file = open_below(&root, &path)?.0;
        let (mut hasher, mut chunk) = (blake3::Hasher::new(), vec![0; CHUNK]);
        loop {
            match file.read(&mut chunk)? {
                0 => return Ok(hasher.finalize()),
                read => hasher.update(&chunk[..read]),
            };
        }
    });
    let hash = hash.await.unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
    let hash = hash.map_err(|why| Unsent::Disk(upload.path.clone(), why))?;
    upload.mark = hash.to_hex()[..32].to_owned();
    if listed.get(&upload.key).is_some_and(|stamp| stamp.size == upload.stamp.size) {
        let mark = match patiently(|| bucket.mark(&upload.key)).await {
            Err(StoreError::Gone) => None,
            mark => mark?,
        };
        upload.there = mark.as_ref() == Some(&upload.mark);
    }
    Ok(upload)
}

/// Nobody wrote to any of the files since they were looked at.
async fn unchanged(job: &PublishJob, all: &[Upload]) -> Result<(), PublishError> {
    let files: Vec<_> = all.iter().map(|upload| (upload.path.clone(), upload.stamp)).collect();
    let same = spawn_blocking(move || {
        files.iter().all(|(path, stamp)| FileVersion::at(path).as_ref() == Some(stamp))
    });
    if same.await.unwrap_or(false) {
        Ok(())
    } else {
        Err(PublishError::Changed(job.channel.clone()))
    }
}

/// Takes away what another channel of this name left behind.
async fn sweep(
    bucket: &Bucket,
    all: &[Upload],
    listed: &HashMap<String, FileVersion>,
) -> Result<(), StoreError> {
    for key in listed.keys().filter(|key| all.iter().all(|upload| upload.key != **key)) {
        patiently(|| bucket.remove(key)).await?;
    }
    Ok(())
}

async fn send(job: &PublishJob, bucket: &Bucket, upload: &Upload) -> Result<(), Unsent> {
    if upload.stamp.size > PART_BYTES {
        return send_parts(job, bucket, upload).await;
    }
    let bytes = read(upload, 0, upload.stamp.size).await?;
    let (key, media_type) = (&upload.key, media_type::of(&upload.key));
    patiently(|| bucket.put(key, media_type, &upload.mark, bytes.clone())).await?;
    job.meter.add(upload.stamp.size);
    Ok(())
}

async fn send_parts(job: &PublishJob, bucket: &Bucket, upload: &Upload) -> Result<(), Unsent> {
    let Upload { key, mark, .. } = upload;
    let record = Record::of(&job.data, &bucket.identity(), key);
    if let Some(mut begun) = record.read().filter(|begun| begun.mark == *mark) {
        match go_on(job, bucket, upload, &record, &mut begun).await {
            // The bucket has forgotten what was begun.
            Err(Unsent::Store(StoreError::Gone)) => job.meter.take_back(begun.bytes()),
            end => return end,
        }
    }
    let name = patiently(|| bucket.begin(key, media_type::of(key), mark)).await?;
    let mut begun = Begun { mark: mark.clone(), upload: name, parts: BTreeMap::new() };
    go_on(job, bucket, upload, &record, &mut begun).await
}

/// Sends what is missing of a file that was begun.
async fn go_on(
    job: &PublishJob,
    bucket: &Bucket,
    upload: &Upload,
    record: &Record,
    begun: &mut Begun,
) -> Result<(), Unsent> {
    let Upload { key, mark, stamp, .. } = upload;
    let unwritten = |why| Unsent::Disk(record.path().to_owned(), why);
    record.keep(begun).map_err(unwritten)?;
    job.meter.add(begun.bytes());
    let length = part_bytes(stamp.size);
    for (number, first) in (1..).zip(offsets(stamp.size, length)) {
        let size = length.min(stamp.size - first);
        if begun.parts.get(&number).is_some_and(|part| part.size == size) {
            continue;
        }
        let bytes = read(upload, first, size).await?;
        let put = || bucket.put_part(key, &begun.upload, number, bytes.clone());
        let part = patiently(put).await?;
        begun.parts.insert(number, part);
        record.keep(begun).map_err(unwritten)?;
        job.meter.add(size);
    }
    if let Err(error) = patiently(|| bucket.finish(key, &begun.upload, &begun.parts)).await {
        // The answer may have been lost on its way, or not be readable: what is there counts.
        let there = patiently(|| bucket.mark(key)).await;
        if !there.is_ok_and(|there| there.as_ref() == Some(mark)) {
            return Err(error.into());
        }
    }
    record.remove();
    Ok(())
}

/// Where each part begins.
fn offsets(size: u64, length: u64) -> impl Iterator<Item = u64> {
    (0..size.div_ceil(length)).map(move |number| number * length)
}

async fn read(upload: &Upload, first: u64, size: u64) -> Result<Bytes, Unsent> {
    let (root, path) = (upload.root.clone(), upload.path.clone());
    let read = spawn_blocking(move || {
        let file: File = open_below(&root, &path)?.0;
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
        file.read_exact_at(&mut bytes, first)?;
        Ok(Bytes::from(bytes))
    });
    let read = read.await.unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
    read.map_err(|why| Unsent::Disk(upload.path.clone(), why))
}
