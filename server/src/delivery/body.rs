//! The bytes of an answer: a file of this host or of the cache, or a stream as it comes.

use std::{fs::File, io};

use axum::body::Body;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::sendfile::SendfileQueue;
use crate::{cache::Opened, sources::resource::SourceError};

/// Bytes read at once: 256 KiB was a third faster than the usual 64.
const CHUNK: usize = 256 << 10;

/// `length` bytes from `first` on of what was opened for them; of a file by the `queue` of the
/// connection, where it has one.
pub(super) async fn of(
    opened: Opened,
    first: u64,
    length: u64,
    queue: Option<&SendfileQueue>,
) -> Result<Body, SourceError> {
    match opened {
        Opened::File(file) => of_file(file, first, length, queue).await,
        Opened::Stream(stream) => Ok(Body::from_stream(stream)),
    }
}

async fn of_file(
    file: File,
    first: u64,
    length: u64,
    queue: Option<&SendfileQueue>,
) -> Result<Body, SourceError> {
    if let Some(queue) = queue.filter(|_| SendfileQueue::carries(&file)) {
        return Ok(Body::from_stream(queue.clone().placeholders(file, first, length)));
    }
    let mut file = tokio::fs::File::from_std(file);
    file.set_max_buf_size(CHUNK);
    if first > 0 {
        file.seek(io::SeekFrom::Start(first)).await.map_err(|_| SourceError::Unreadable)?;
    }
    Ok(Body::from_stream(ReaderStream::with_capacity(file.take(length), CHUNK)))
}
