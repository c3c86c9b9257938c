//! The channels told once, for `carrete channels` and `carrete doctor`.

use std::{
    collections::HashSet, ffi::OsStr, fmt::Write as _, path::Path, sync::Arc, time::Duration,
};

use app::catalog::{Kind, Media};
use futures_util::future::join_all;
use tokio::task::spawn_blocking;

use super::{
    CatalogError, SourceConfig, beginning, bucket,
    local::StreamsFolder,
    poll,
    remote::{self, Channels},
};
pub use super::{bucket::BucketConfig, remote::RemoteConfig};
use crate::{
    catalog::{
        artifacts::ArtifactIndex,
        name::shown,
        problem::{Problem, Whereabouts},
        record::ChannelRecord,
        remark::Remark,
        snapshot::Snapshot,
        source_list::{Publisher, SourceList},
    },
    config::Folders,
};

/// How long a copy under way is waited for.
const SETTLES: Duration = Duration::from_millis(2500);

/// Something in the streams folder that is not as its owner wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The name in the streams folder.
    pub name: String,
    /// Whether the channel plays in all browsers in spite of it.
    pub plays: bool,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What mends it.
    pub fix: String,
}

/// What would be served, as a JSON array of media objects or as a table, and what is wrong with
/// sources elsewhere. Waits until a copy under way is whole or 2.5 s have passed.
pub async fn channels(
    folders: &Folders,
    elsewhere: Vec<SourceConfig>,
    json: bool,
) -> Result<(String, Vec<String>), CatalogError> {
    let looks = elsewhere.into_iter().map(|source| async {
        Arc::new(match source {
            SourceConfig::Store(store) => list_of_bucket(store).await,
            SourceConfig::Origin(server) => list_of_server(server).await,
        })
    });
    let lists = join_all(looks).await;
    let folder = folders.streams.clone();
    let judged = spawn_blocking(move || judge_with(&folder, &lists)).await;
    let (snapshot, _) = judged.map_err(|_| CatalogError::Look)??;
    let list = if json {
        String::from_utf8_lossy(&snapshot.videos_json().body).into_owned()
    } else {
        let rows: Vec<[String; 5]> = snapshot.media().iter().map(|media| row(media)).collect();
        table(["ID", "KIND", "LENGTH", "SIZE", "TITLE"].map(str::to_owned), &rows)
    };
    Ok((list, snapshot.troubles().to_vec()))
}

/// What another server has: how many channels that can be played, or what is wrong with it, and what
/// is left out of its list.
pub async fn origin(origin: RemoteConfig) -> (Result<usize, String>, Vec<Finding>) {
    told_of(&list_of_server(origin).await, Whereabouts::Server)
}

/// What a bucket has, told as of another server.
pub async fn bucket(store: BucketConfig) -> (Result<usize, String>, Vec<Finding>) {
    told_of(&list_of_bucket(store).await, Whereabouts::Bucket)
}

async fn list_of_bucket(store: BucketConfig) -> SourceList {
    poll::poll_once(bucket::Poller::new(store, Publisher::nobody()).silent()).await
}

async fn list_of_server(server: RemoteConfig) -> SourceList {
    let poller = remote::Poller::new(server, Publisher::nobody(), Channels::default());
    poll::poll_once(poller.silent()).await
}

fn told_of(list: &SourceList, lies: Whereabouts<'_>) -> (Result<usize, String>, Vec<Finding>) {
    let left_out = list.left_out.iter().map(|(name, reason)| {
        let name = name.to_string_lossy().into_owned();
        let message = match reason {
            Problem::Refused(refusal) => format!("left out: {}", refusal.what),
            other => format!("left out: {other}"),
        };
        Finding { message, fix: reason.fix(lies, &name), name, plays: false }
    });
    let remarks =
        list.channels.iter().flat_map(|(name, record)| Finding::remarks(name, record, lies));
    let left_out = left_out.chain(remarks).collect();
    match &list.trouble {
        Some(trouble) => (Err(trouble.clone()), left_out),
        None => {
            let plays = |record: &&Arc<ChannelRecord>| record.remarks.iter().all(Remark::plays);
            (Ok(list.channels.values().filter(plays).count()), left_out)
        }
    }
}

/// Looks at every channel of the folder: what can be played, and what is wrong with what cannot.
/// Blocks as long as [`channels`] waits.
pub fn judge(folder: &Path) -> Result<(Snapshot, Vec<Finding>), CatalogError> {
    judge_with(folder, &[])
}

fn judge_with(
    folder: &Path,
    elsewhere: &[Arc<SourceList>],
) -> Result<(Snapshot, Vec<Finding>), CatalogError> {
    let read = |why| CatalogError::Read { folder: folder.display().to_string(), why };
    let streams = folder.display().to_string();
    let streams = Whereabouts::Folder(&streams);
    let mut disk = StreamsFolder::new(folder).map_err(read)?.silent();
    disk.settle(SETTLES);
    let here = std::iter::once(Arc::new(disk.list()));
    let lists: Vec<_> = here.chain(elsewhere.iter().cloned()).collect();
    let (snapshot, clashes) =
        Snapshot::assemble(&lists, &ArtifactIndex::default(), &Snapshot::default());
    let left_out = disk.items.iter().filter_map(|(name, item)| {
        let reason = item.trouble.clone()?;
        (item.record.is_none() || reason != Problem::Changing).then_some((name.clone(), reason))
    });
    let mut findings: Vec<Finding> = left_out
        .chain(clashes)
        .map(|(name, reason)| {
            let name = name.to_string_lossy().into_owned();
            Finding {
                message: format!("left out: {reason}"),
                fix: reason.fix(streams, &name),
                name,
                plays: false,
            }
        })
        .collect();
    for (name, item) in &disk.items {
        findings
            .extend(item.record.iter().flat_map(|record| Finding::remarks(name, record, streams)));
    }
    for entry in snapshot.entries().iter().filter(|entry| entry.record.on_disk().is_some()) {
        let Some(message) = beginning::trouble(&entry.record) else { continue };
        findings.push(Finding {
            name: entry.name.to_string_lossy().into_owned(),
            plays: false,
            message,
            fix: beginning::FIX.into(),
        });
    }
    Ok((snapshot, findings))
}

impl Finding {
    /// What is to be said of a channel that is listed under this name.
    fn remarks(name: &OsStr, record: &ChannelRecord, lies: Whereabouts<'_>) -> Vec<Self> {
        let name = name.to_string_lossy();
        let remarks = record.remarks.iter();
        remarks
            .map(|remark| Self {
                name: name.clone().into_owned(),
                plays: remark.plays(),
                message: remark.message(),
                fix: remark.fix(lies, &name, !record.bare),
            })
            .collect()
    }

    /// The name as people read it, in quotes.
    pub fn shown(&self) -> String {
        shown(OsStr::new(&self.name))
    }
}

/// How many of the channels of a list play in all browsers.
pub fn playable(snapshot: &Snapshot, findings: &[Finding]) -> usize {
    let troubled: HashSet<&str> =
        findings.iter().filter(|finding| !finding.plays).map(|finding| &*finding.name).collect();
    let names = snapshot.entries().iter().map(|entry| entry.name.to_string_lossy());
    names.filter(|name| !troubled.contains(&**name)).count()
}

fn row(media: &Media) -> [String; 5] {
    let kind = match media.kind {
        Kind::Video => "video",
        Kind::Audio => "audio",
    };
    let length = match media.duration_s {
        _ if media.live => "live".to_owned(),
        Some(seconds) => format!("{seconds:.1} s"),
        None => "-".to_owned(),
    };
    let size = media.width.zip(media.height).map_or("-".into(), |(w, h)| format!("{w}x{h}"));
    [media.id.to_string(), kind.to_owned(), length, size, media.title.clone()]
}

fn table<const N: usize>(head: [String; N], rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().chain([&head]).map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for row in [&head].into_iter().chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}
