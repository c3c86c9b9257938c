//! A look inside an object: little of it is read, a window at a time.

use std::{
    io::{self, Read, Seek, SeekFrom},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    runtime::Handle,
    time::{Instant, timeout_at},
};

use crate::{cache::CachedStore, storage::local::FileVersion};

/// Bytes that are asked for at once,
const WINDOW: u64 = 256 << 10;
/// and how often.
const WINDOWS: u32 = 16;
/// A look takes no longer in all: what did not show by then stays unknown.
const IN_ALL: Duration = Duration::from_secs(10);

/// An object, read a window at a time.
pub(crate) struct RangeReader {
    edge: CachedStore,
    runtime: Handle,
    key: String,
    stamp: FileVersion,
    at: u64,
    /// Where the bytes that are here begin.
    window: (u64, Bytes),
    left: u32,
    until: Instant,
}

impl RangeReader {
    pub(crate) fn new(edge: CachedStore, runtime: Handle, key: String, stamp: FileVersion) -> Self {
        let (window, until) = ((0, Bytes::new()), Instant::now() + IN_ALL);
        Self { edge, runtime, key, stamp, at: 0, window, left: WINDOWS, until }
    }
}

impl Read for RangeReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.stamp.size || into.is_empty() {
            return Ok(0);
        }
        let (start, bytes) = &self.window;
        if !(*start..start.saturating_add(bytes.len() as u64)).contains(&self.at) {
            self.left = self.left.checked_sub(1).ok_or_else(|| io::Error::other("too much"))?;
            let range = self.at..self.at.saturating_add(WINDOW).min(self.stamp.size);
            let peeked = self.edge.peek(&self.key, self.stamp, range);
            let peeked = self.runtime.block_on(async { timeout_at(self.until, peeked).await });
            let bytes = peeked.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
            self.window = (self.at, bytes.map_err(io::Error::other)?);
        }
        let (start, bytes) = &self.window;
        let skip = usize::try_from(self.at - start).unwrap_or(usize::MAX);
        let here = bytes.get(skip..).unwrap_or_default();
        let count = here.len().min(into.len());
        into[..count].copy_from_slice(&here[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for RangeReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.stamp.size.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
