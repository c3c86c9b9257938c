//! The socket at the end of a queue: it sends the file's bytes where their placeholder is written, and
//! sends nothing at all where what is written and what waits on the queue do not agree.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    ptr,
    task::{Context, Poll, ready},
    time::Duration,
};

use rustix::{
    fs::sendfile,
    io::Errno,
    net::{
        SendAncillaryBuffer, SendFlags, sendmsg,
        sockopt::{set_socket_linger, set_tcp_user_timeout},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
};

use super::{PLACEHOLDERS, SendfileQueue, Waiting};

/// When we have closed, the kernel keeps what is still to be sent for so long in milliseconds. While
/// we send, it may not count: who takes a little at a time and has no room in between would be cut off
/// although bytes arrive all the time, since Linux counts from the first time that there was none.
const UNSENT_AT_THE_END_MS: u32 = 90_000;

/// A socket that sends what is on its queue where a placeholder is written.
#[derive(Debug)]
pub struct SendfileStream {
    stream: TcpStream,
    queue: SendfileQueue,
}

/// What a write begins with.
enum Next {
    /// Nothing but pieces that are what they are.
    Plain,
    /// So many of them before bytes of a file.
    Before(usize),
    /// Bytes of the file that is next.
    File,
}

impl SendfileStream {
    /// A socket with a queue of its own.
    pub fn new(stream: TcpStream) -> Self {
        Self { stream, queue: SendfileQueue::default() }
    }

    /// What its answers are given.
    pub fn queue(&self) -> SendfileQueue {
        self.queue.clone()
    }

    /// Throws away what has not left when it is closed: who has been given up takes it no more, and it
    /// would stay in the kernel's memory.
    pub fn give_up(&self) {
        // Where it cannot be said the kernel keeps it for a while.
        let _ = set_socket_linger(&self.stream, Some(Duration::ZERO));
    }

    /// Sends what the kernel has room for; waits while it has none.
    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        mut send: impl FnMut(&TcpStream) -> rustix::io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            let send = || send(&self.stream).map_err(io::Error::from);
            match self.stream.try_io(Interest::WRITABLE, send) {
                // A file that became shorter has nothing that could be sent in its place.
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                sent => return Poll::Ready(sent),
            }
        }
    }
}

impl Waiting {
    /// What a write of `pieces` begins with. HTTP writes all that it holds at once and takes no more
    /// until it is gone, so while a part waits, the first placeholder of every write is what is left of
    /// its own. Any other means that somebody kept, cut or copied a placeholder.
    fn next(&self, pieces: &[IoSlice<'_>]) -> io::Result<Next> {
        let begin = pieces.iter().take_while(|piece| piece.is_empty()).count();
        let placeholder =
            pieces.iter().position(|piece| PLACEHOLDERS.as_ptr_range().contains(&piece.as_ptr()));
        match (self.parts.front(), placeholder) {
            (None, None) => Ok(Next::Plain),
            (Some(part), Some(placeholder)) if ptr::eq(&*pieces[placeholder], part.placeholder) => {
                Ok(if placeholder == begin { Next::File } else { Next::Before(placeholder) })
            }
            _ => {
                tracing::error!(
                    "the placeholders of a file were changed on their way to its socket"
                );
                Err(io::Error::other("not the placeholder that was awaited"))
            }
        }
    }

    /// Hands the part that is next to the kernel, which takes what it has room for.
    fn send(&mut self, stream: &TcpStream) -> rustix::io::Result<usize> {
        let part = self.parts.front_mut().ok_or(Errno::PIPE)?;
        let sent = sendfile(stream, &part.file, Some(&mut part.at), part.placeholder.len())?;
        part.placeholder = &part.placeholder[sent..];
        if part.placeholder.is_empty() {
            self.parts.pop_front();
        }
        Ok(sent)
    }
}

impl AsyncRead for SendfileStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for SendfileStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let next = self.queue.waiting().next(pieces)?;
        match next {
            Next::Plain => Pin::new(&mut self.stream).poll_write_vectored(cx, pieces),
            Next::Before(many) => self.poll_send(cx, |stream| {
                // The file follows at once: both leave in one packet.
                let flags = SendFlags::MORE | SendFlags::NOSIGNAL;
                sendmsg(stream, &pieces[..many], &mut SendAncillaryBuffer::default(), flags)
            }),
            Next::File => self.poll_send(cx, |stream| self.queue.waiting().send(stream)),
        }
    }

    fn is_write_vectored(&self) -> bool {
        // Else HTTP would copy the placeholders.
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Where it cannot be said the kernel keeps it for longer.
        let _ = set_tcp_user_timeout(&self.stream, UNSENT_AT_THE_END_MS);
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
