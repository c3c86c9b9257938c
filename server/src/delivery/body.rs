//! The bytes of an answer, wherever they lie: a file of this host, or an object that the cache holds
//! or fetches.

use std::{fs::File, io, path::PathBuf};

use axum::body::Body;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::sendfile::Lane;
use crate::{
    cache::{Edge, Opened, Purpose},
    error::ApiError,
    storage::{
        StoreError,
        local::{Stamp, in_time, is_absent, is_out_of_room, open_at_once, open_below},
    },
};

/// Bytes read at once: 256 KiB was a third faster than the usual 64.
const CHUNK: usize = 256 << 10;

/// Something that can be sent.
pub(super) struct Held {
    /// As it is now.
    pub(super) stamp: Stamp,
    /// It is not as it was listed.
    pub(super) is_another: bool,
    from: From,
}

enum From {
    File(File),
    Store { edge: Edge, key: String, purpose: Purpose },
}

/// Why something cannot be sent.
pub(super) enum Unsent {
    /// It was listed, and is not there any more.
    Gone,
    /// Nobody names it, or not in the state that is asked for.
    Unnamed,
    /// It is there and cannot be read.
    Unreadable,
    /// This server has no room for it now, or its disk takes its time: that says nothing of the file.
    Later,
    /// The store that has it does not answer.
    Away,
}

impl std::convert::From<StoreError> for Unsent {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Gone | StoreError::Changed => Self::Gone,
            StoreError::Away(_)
            | StoreError::Broken(_)
            | StoreError::Behind
            | StoreError::Refused(_) => Self::Away,
            StoreError::Busy => Self::Later,
        }
    }
}

impl Unsent {
    /// The list may be wrong about it. What somebody only asks for makes no list wrong.
    pub(super) fn is_doubtful(&self) -> bool {
        matches!(self, Self::Gone | Self::Unreadable)
    }

    /// What is answered.
    pub(super) fn told(&self) -> ApiError {
        match self {
            Self::Gone | Self::Unnamed => ApiError::NotFound,
            Self::Unreadable | Self::Later => ApiError::Unreadable,
            Self::Away => ApiError::SourceAway,
        }
    }
}

impl Held {
    /// A file of this host, below `root`, that was listed with this stamp.
    pub(super) async fn file(root: PathBuf, path: PathBuf, listed: Stamp) -> Result<Self, Unsent> {
        let opened = match open_at_once(&root, &path) {
            Some(opened) => Ok(opened),
            None => {
                let below = root.clone();
                in_time(&root, move || open_below(&below, &path)).await.and_then(|opened| opened)
            }
        };
        match opened {
            Ok((file, stamp)) => {
                Ok(Self { stamp, is_another: stamp != listed, from: From::File(file) })
            }
            Err(error) if is_absent(&error) => Err(Unsent::Gone),
            Err(error) if error.kind() == io::ErrorKind::TimedOut || is_out_of_room(&error) => {
                Err(Unsent::Later)
            }
            Err(_) => Err(Unsent::Unreadable),
        }
    }

    /// An object as it was listed, or, if an address names another `version` of it that is kept,
    /// as it was then. Asks nobody yet.
    pub(super) fn object(edge: Edge, key: String, listed: Stamp, version: Option<&str>) -> Self {
        let older = version.filter(|version| *version != listed.version());
        let stamp = older.and_then(|version| edge.kept(&key, version)).unwrap_or(listed);
        Self { stamp, is_another: false, from: From::Store { edge, key, purpose: Purpose::Shelf } }
    }

    /// An object that no list tells of, as it was found; `purpose` says
    /// for whom its bytes come.
    pub(super) fn found(edge: Edge, key: String, stamp: Stamp, purpose: Purpose) -> Self {
        Self { stamp, is_another: false, from: From::Store { edge, key, purpose } }
    }

    /// Another state of an object that is kept, for want of the one that was listed.
    pub(super) fn older(edge: Edge, key: String) -> Option<Self> {
        let stamp = edge.kept_any(&key)?;
        Some(Self {
            stamp,
            is_another: false,
            from: From::Store { edge, key, purpose: Purpose::Shelf },
        })
    }

    /// `length` bytes from `first` on, of a file by the `lane` of the connection, where it has one.
    /// Waits until the first of them are there.
    pub(super) async fn body(
        self,
        first: u64,
        length: u64,
        lane: Option<&Lane>,
    ) -> Result<Body, Unsent> {
        match self.from {
            From::File(file) => of_file(file, first, length, lane).await,
            From::Store { edge, key, purpose } => {
                let range = first..first.saturating_add(length);
                match edge.open_for(purpose, &key, self.stamp, range).await {
                    Ok(Opened::File(file)) => of_file(file, first, length, lane).await,
                    Ok(Opened::Stream(stream)) => Ok(Body::from_stream(stream)),
                    Err(error) => Err(error.into()),
                }
            }
        }
    }
}

async fn of_file(file: File, first: u64, length: u64, lane: Option<&Lane>) -> Result<Body, Unsent> {
    if let Some(lane) = lane.filter(|_| Lane::carries(&file)) {
        return Ok(Body::from_stream(lane.clone().blanks(file, first, length)));
    }
    let mut file = tokio::fs::File::from_std(file);
    file.set_max_buf_size(CHUNK);
    if first > 0 {
        file.seek(io::SeekFrom::Start(first)).await.map_err(|_| Unsent::Unreadable)?;
    }
    Ok(Body::from_stream(ReaderStream::with_capacity(file.take(length), CHUNK)))
}
