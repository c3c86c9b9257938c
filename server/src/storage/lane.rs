//! Files on their way to a socket without a detour through this program: the kernel copies them from
//! its cache (`sendfile`). A body yields blanks, which HTTP frames as it frames everything; the
//! socket knows a blank by its place in memory and sends the file's bytes instead of it.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, IoSlice, IoSliceMut},
    os::unix::fs::FileExt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
    task::spawn_blocking,
};

/// Bytes that are handed to the kernel at once.
const CHUNK: usize = 512 << 10;
/// What is looked for in the kernel's cache before a chunk goes out, and how far apart.
const PAGE: u64 = 64 << 10;
/// Bytes read at once of a file that is not there.
const READ: usize = 256 << 10;

/// What stands for bytes of files; nobody reads it.
static BLANK: [u8; CHUNK] = [0; CHUNK];

/// The files on their way to one socket, in the order of its answers; a cheap clone.
#[derive(Clone, Debug, Default)]
pub struct Lane(Arc<Mutex<VecDeque<Part>>>);

#[derive(Debug)]
struct Part {
    file: Arc<File>,
    at: u64,
    left: usize,
}

impl Lane {
    /// Blanks for `length` bytes of a file from `first` on; they must reach this lane's socket as they
    /// are, and in this order. Waits where the disk has to be read first.
    pub fn blanks(
        self,
        file: File,
        first: u64,
        length: u64,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send {
        let (file, end) = (Arc::new(file), first + length);
        stream::try_unfold(first, move |at| {
            let (lane, file) = (self.clone(), file.clone());
            async move {
                if at >= end {
                    return Ok(None);
                }
                let left = usize::try_from(end - at).unwrap_or(CHUNK).min(CHUNK);
                let next = at + left as u64;
                if !is_at_hand(&file, at, next) {
                    let file = file.clone();
                    let read = spawn_blocking(move || read_through(&file, at, next)).await;
                    read.map_err(io::Error::other)??;
                }
                lane.parts().push_back(Part { file, at, left });
                Ok(Some((Bytes::from_static(&BLANK[..left]), next)))
            }
        })
    }

    fn parts(&self) -> MutexGuard<'_, VecDeque<Part>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the kernel has these bytes in its cache, as far as a few of them tell.
fn is_at_hand(file: &File, first: u64, end: u64) -> bool {
    let step = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let places = (first..end).step_by(step).chain([end - 1]);
    places.into_iter().all(|at| {
        let mut byte = [0];
        let mut into = [IoSliceMut::new(&mut byte)];
        preadv2(file, &mut into, at, ReadWriteFlags::NOWAIT).is_ok_and(|read| read == 1)
    })
}

/// Reads bytes of a file into the kernel's cache. Blocks.
fn read_through(file: &File, first: u64, end: u64) -> io::Result<()> {
    let mut bytes = vec![0; READ];
    let mut at = first;
    while at < end {
        let most = usize::try_from(end - at).unwrap_or(READ).min(READ);
        match file.read_at(&mut bytes[..most], at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => at += read as u64,
        }
    }
    Ok(())
}

/// How much of a piece of memory is a blank.
fn is_blank(bytes: &[u8]) -> bool {
    !bytes.is_empty() && BLANK.as_ptr_range().contains(&bytes.as_ptr())
}

/// A socket that sends what is on its lane where a blank is written.
#[derive(Debug)]
pub struct LaneStream {
    stream: TcpStream,
    lane: Lane,
}

impl LaneStream {
    /// A socket with a lane of its own.
    pub fn new(stream: TcpStream) -> Self {
        Self { stream, lane: Lane::default() }
    }

    /// What its answers are given.
    pub fn lane(&self) -> Lane {
        self.lane.clone()
    }

    /// Sends at most so many bytes of the file that is next.
    fn poll_file(&self, cx: &mut Context<'_>, most: usize) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            let mut parts = self.lane.parts();
            let Some(part) = parts.front_mut() else {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            };
            let most = most.min(part.left);
            let sent = self.stream.try_io(Interest::WRITABLE, || {
                let mut at = part.at;
                match rustix::fs::sendfile(&self.stream, &part.file, Some(&mut at), most) {
                    Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
                    Err(Errno::INTR) => Ok(0),
                    sent => sent.map_err(io::Error::from),
                }
            });
            match sent {
                Ok(0) => {}
                Ok(sent) => {
                    part.at += sent as u64;
                    part.left -= sent;
                    if part.left == 0 {
                        parts.pop_front();
                    }
                    return Poll::Ready(Ok(sent));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncRead for LaneStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for LaneStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if is_blank(bytes) {
            return self.poll_file(cx, bytes.len());
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        all: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let begin = all.iter().position(|bytes| !bytes.is_empty()).unwrap_or(0);
        let all = &all[begin..];
        match all.iter().position(|bytes| is_blank(bytes)) {
            Some(0) => self.poll_file(cx, all[0].len()),
            Some(blank) => Pin::new(&mut self.stream).poll_write_vectored(cx, &all[..blank]),
            None => Pin::new(&mut self.stream).poll_write_vectored(cx, all),
        }
    }

    fn is_write_vectored(&self) -> bool {
        // Else HTTP would copy the blanks.
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
