//! Finished channels between the streams folder and the bucket: `carrete push` and `carrete pull`.
//! Where they come to, they are whole or not there at all.

mod meter;
mod pull;
mod push;
mod record;

use std::{future::Future, io, path::PathBuf, time::Duration};

use app::catalog::ChannelId;
use backon::{BackoffBuilder, ExponentialBuilder};
use tokio_util::sync::CancellationToken;

pub use self::{
    meter::{Meter, tell},
    record::PART_BYTES,
};
use crate::{
    catalog::Problem,
    data_dir::DataDir,
    sources::BucketConfig,
    sources::complete::Incomplete,
    storage::{StoreError, s3::Bucket},
    transcode::IngestError,
};

/// The first pause before something is tried again, and the longest, and how often.
const PAUSE: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);
const AGAIN: usize = 4;
/// Files that are on their way at once.
const AT_ONCE: usize = 4;

/// What is to be taken where.
#[derive(Clone, Debug)]
pub struct PublishJob {
    /// The channel.
    pub channel: ChannelId,
    /// The folder that the channels lie in.
    pub streams: PathBuf,
    /// The folder in which a push that was interrupted is remembered.
    pub data: DataDir,
    /// Whether another channel of this name gives way.
    pub replace: bool,
    /// Is told how far it is.
    pub meter: Meter,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// Files of the channel,
    pub files: usize,
    /// and their length together.
    pub bytes: u64,
    /// Files that were there already.
    pub there: usize,
}

/// Why nothing new of a channel shows, in one sentence each.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// No such channel.
    #[error("there is no channel {id} in {place}")]
    Unknown {
        /// What was asked for.
        id: ChannelId,
        /// Where it was looked for.
        place: String,
    },
    /// It still grows.
    #[error(
        "{0} is live: it can be taken along when it is finished, with #EXT-X-ENDLIST at the end of its playlist"
    )]
    Live(ChannelId),
    /// It cannot be played as it is.
    #[error("{id} is not whole: {why}")]
    Incomplete {
        /// The channel.
        id: ChannelId,
        /// What is wrong with it.
        why: Problem,
    },
    /// The name is taken.
    #[error("{place} has another channel {id}; --replace lets it give way")]
    Taken {
        /// The channel.
        id: ChannelId,
        /// Where it is.
        place: String,
    },
    /// A file was written to meanwhile.
    #[error("the files of {0} changed meanwhile; run the same command again")]
    Changed(ChannelId),
    /// The bucket did not do what it was asked for.
    #[error("{place}: {why}; the same command goes on where it was")]
    Store {
        /// The bucket.
        place: String,
        /// What it said.
        why: StoreError,
    },
    /// The disk said no.
    #[error("{what} cannot be used: {why}")]
    Disk {
        /// A folder or a file.
        what: String,
        /// What the system says.
        why: io::Error,
    },
    /// The streams folder said no.
    #[error(transparent)]
    Folder(#[from] IngestError),
    /// Ctrl-C.
    #[error("stopped; nothing of it shows, and the same command can be run again")]
    Stopped,
}

/// Puts a finished channel into the bucket, its playlist last. What is there already is not sent
/// again; interrupted, it shows nothing and can be gone on with.
pub async fn push(
    job: &PublishJob,
    bucket: &Bucket,
    stop: &CancellationToken,
) -> Result<Published, PublishError> {
    until(stop, push::push(job, bucket)).await
}

/// Takes a finished channel out of the bucket into the streams folder, in one step. `store` is the
/// same bucket with the cache before it.
pub async fn pull(
    job: &PublishJob,
    bucket: &Bucket,
    store: &BucketConfig,
    stop: &CancellationToken,
) -> Result<Published, PublishError> {
    until(stop, pull::pull(job, bucket, store)).await
}

async fn until<T>(
    stop: &CancellationToken,
    work: impl Future<Output = Result<T, PublishError>>,
) -> Result<T, PublishError> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(PublishError::Stopped),
        done = work => done,
    }
}

impl PublishJob {
    fn not_whole(&self, why: Incomplete, place: String) -> PublishError {
        let id = self.channel.clone();
        match why {
            Incomplete::Unknown => PublishError::Unknown { id, place },
            Incomplete::Live => PublishError::Live(id),
            Incomplete::Broken(why) => PublishError::Incomplete { id, why },
        }
    }
}

/// Asks again while that may help: whatever is asked here has the same end twice.
async fn patiently<T, F>(ask: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let pauses = ExponentialBuilder::default()
        .with_min_delay(PAUSE)
        .with_max_delay(PAUSE_MAX)
        .with_max_times(AGAIN)
        .with_jitter();
    let mut pauses = pauses.build();
    loop {
        let error = match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match pauses.next().filter(|_| error.may_pass()) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(error),
        }
    }
}

fn failed(bucket: &Bucket) -> impl Fn(StoreError) -> PublishError + Clone + use<> {
    let place = crate::storage::Store::label(bucket);
    move |why| PublishError::Store { place: place.clone(), why }
}
