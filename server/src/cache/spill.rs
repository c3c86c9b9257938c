//! Bytes of chunks that the cache's folder cannot take: in memory for as long as somebody reads them, and
//! no more of them in all than this host can spare.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// All of them together: four segments of the largest.
pub(super) const SPILT_MAX: u64 = 64 << 20;

/// How many bytes there are of all chunks.
#[derive(Debug, Default)]
pub(super) struct Spills(AtomicU64);

/// The bytes of one chunk; gone when dropped.
#[derive(Debug, Default)]
pub(super) struct Spill {
    bytes: Vec<u8>,
    counted_by: Option<Arc<Spills>>,
}

impl Spills {
    /// How many there are now.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: u64) -> bool {
        let more = |now: u64| now.checked_add(bytes).filter(|all| *all <= SPILT_MAX);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }
}

impl Spill {
    /// Adds bytes where there is room for them; answers whether there was.
    pub(super) fn add(&mut self, bytes: &[u8], spills: &Arc<Spills>) -> bool {
        if !spills.take(bytes.len() as u64) {
            return false;
        }
        self.counted_by.get_or_insert_with(|| spills.clone());
        self.bytes.extend_from_slice(bytes);
        true
    }

    /// What was added.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        if let Some(spills) = &self.counted_by {
            spills.0.fetch_sub(self.bytes.len() as u64, Ordering::Relaxed);
        }
    }
}
