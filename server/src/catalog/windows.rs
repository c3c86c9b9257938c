//! A look inside an object: little of it is read, a window at a time.

use std::io::{self, Read, Seek, SeekFrom};

use bytes::Bytes;
use tokio::runtime::Handle;

use crate::storage::{disk::Stamp, edge::Edge};

/// Bytes that are asked for at once,
const WINDOW: u64 = 256 << 10;
/// and how often.
const WINDOWS: u32 = 16;

/// An object, read a window at a time.
pub(in crate::catalog) struct Windows {
    edge: Edge,
    runtime: Handle,
    key: String,
    stamp: Stamp,
    at: u64,
    /// Where the bytes that are here begin.
    window: (u64, Bytes),
    left: u32,
}

impl Windows {
    pub(in crate::catalog) fn new(edge: Edge, runtime: Handle, key: String, stamp: Stamp) -> Self {
        Self { edge, runtime, key, stamp, at: 0, window: (0, Bytes::new()), left: WINDOWS }
    }
}

impl Read for Windows {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.stamp.size || into.is_empty() {
            return Ok(0);
        }
        let (start, bytes) = &self.window;
        if !(*start..*start + bytes.len() as u64).contains(&self.at) {
            self.left = self.left.checked_sub(1).ok_or_else(|| io::Error::other("too much"))?;
            let range = self.at..(self.at + WINDOW).min(self.stamp.size);
            let bytes = self.runtime.block_on(self.edge.peek(&self.key, self.stamp, range));
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

impl Seek for Windows {
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
