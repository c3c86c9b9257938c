//! Files on their way to a socket without a detour through this program: the kernel copies them from
//! its cache (`sendfile`). A body yields placeholders, which HTTP frames as it frames everything; the
//! socket, [`SendfileStream`], knows a placeholder by its place in memory and sends the file's bytes instead
//! of it. Nothing may stand between the two that copies: the socket refuses what comes of that.

mod socket;

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, IoSliceMut},
    os::unix::fs::FileExt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use tokio::task::spawn_blocking;

pub use self::socket::SendfileStream;

/// Bytes that are handed to the kernel at once.
const CHUNK: usize = 512 << 10;
/// Parts that may wait on a queue. HTTP takes the next when the last has left, so only who gathers a
/// body has more: it is broken off.
const WAITING_MAX: usize = 8;
/// What is looked for in the kernel's cache before a part goes out is so far apart.
const STEP: usize = 256 << 10;
/// Bytes read at once of what is not in the kernel's cache.
const READ: usize = 256 << 10;

/// What stands for bytes of files: each part that waits has a place of its own. Nobody reads or
/// writes it, so it takes no memory.
static PLACEHOLDERS: [u8; WAITING_MAX * CHUNK] = [0; WAITING_MAX * CHUNK];

/// The files on their way to one socket, in the order of its answers; a cheap clone.
#[derive(Clone, Debug, Default)]
pub struct SendfileQueue(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    parts: VecDeque<Part>,
    /// Where the next placeholder lies, in chunks.
    place: usize,
}

/// Bytes of a file that are next to be sent.
#[derive(Debug)]
struct Part {
    file: Arc<File>,
    at: u64,
    /// What is left of the placeholder that stands for them, and is as long as they are.
    placeholder: &'static [u8],
}

impl SendfileQueue {
    /// Whether a file can go this way: not where nobody knows what the kernel has in its cache, since
    /// then sending would wait for a disk or a network.
    pub fn carries(file: &File) -> bool {
        matches!(look(file, 0), Ok(_) | Err(Errno::AGAIN))
    }

    /// Placeholders for `length` bytes of a file from `first` on; they must reach this queue's socket as they
    /// are, and in this order. Waits where the disk has to be read first.
    pub fn placeholders(
        self,
        file: File,
        first: u64,
        length: u64,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send {
        let (file, end) = (Arc::new(file), first + length);
        stream::try_unfold(first, move |at| {
            let (queue, file) = (self.clone(), file.clone());
            async move {
                if at >= end {
                    return Ok(None);
                }
                let next = end.min(at + CHUNK as u64);
                if !is_at_hand(&file, at, next) {
                    let file = file.clone();
                    let read = spawn_blocking(move || read_through(&file, at, next)).await;
                    read.map_err(io::Error::other)??;
                }
                let placeholder = queue.waiting().take(file, at, next)?;
                Ok(Some((Bytes::from_static(placeholder), next)))
            }
        })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Takes in bytes of a file, a chunk at most, and answers what stands for them.
    fn take(&mut self, file: Arc<File>, at: u64, end: u64) -> io::Result<&'static [u8]> {
        if self.parts.len() == WAITING_MAX {
            return Err(io::Error::other("a file's bytes are gathered and not sent"));
        }
        let begin = self.place * CHUNK;
        let length = usize::try_from(end - at).map_or(CHUNK, |length| length.min(CHUNK));
        let placeholder = &PLACEHOLDERS[begin..begin + length];
        self.place = (self.place + 1) % WAITING_MAX;
        self.parts.push_back(Part { file, at, placeholder });
        Ok(placeholder)
    }
}

/// How much of one byte the kernel has in its cache.
fn look(file: &File, at: u64) -> rustix::io::Result<usize> {
    let mut byte = [0];
    preadv2(file, &mut [IoSliceMut::new(&mut byte)], at, ReadWriteFlags::NOWAIT)
}

/// Whether the kernel has these bytes in its cache, as far as a few of them tell.
fn is_at_hand(file: &File, first: u64, end: u64) -> bool {
    let mut places = (first..end).step_by(STEP).chain([end - 1]);
    places.all(|at| look(file, at) == Ok(1))
}

/// Reads bytes of a file into the kernel's cache. Blocks.
fn read_through(file: &File, first: u64, end: u64) -> io::Result<()> {
    let mut bytes = vec![0; READ];
    let mut at = first;
    while at < end {
        let most = usize::try_from(end - at).map_or(READ, |left| left.min(READ));
        match file.read_at(&mut bytes[..most], at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => at += read as u64,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
