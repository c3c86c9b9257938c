//! Whether a finished channel's files are all there: by the parts of them that its playlists name, and
//! by how the files themselves end, where one may still be written.

use std::{io::Read as _, time::SystemTime};

use super::{Loaded, Reading};
use crate::{
    catalog::{problem::Problem, record::Offer, remark::Remark},
    hls::{
        playlist::{Reference, Role},
        render::Resolved,
    },
    probe::cut_segment,
    sources::single_file::SETTLES,
    storage::local::FileVersion,
};

/// Bytes of a packet of a transport stream (ISO/IEC 13818-1, 2.4.3.2), and what each begins with.
const PACKET: u64 = 188;
const SYNC: u8 = 0x47;
/// So many files of a channel are looked into for how they end.
const LOOKED_INTO: usize = 8;

impl Reading<'_> {
    /// Fails where a file of a finished media playlist is shorter than that says, or is still written.
    pub(super) fn whole(&mut self, loaded: &Loaded, found: &[Resolved]) -> Result<(), Problem> {
        let here = self.files.location().folder.is_some();
        let mut uneven: Vec<(String, FileVersion)> = Vec::new();
        // The last that is named, and the last that was written.
        let mut last: [Option<(String, FileVersion)>; 2] = [None, None];
        for (reference, found) in loaded.playlist.references.iter().zip(found) {
            let Some((path, stamp)) = self.media_of(reference, found) else { continue };
            let end = reference.range.as_ref().map(|range| range.end);
            if let Some(end) = end.filter(|end| *end > stamp.size) {
                if here {
                    settled(stamp)?;
                }
                let why = format!("{path} ends after {} of {end} bytes", stamp.size);
                return Err(Problem::Cut(why));
            }
            if !here || loaded.playlist.encrypted {
                continue;
            }
            let is_another = uneven.last().is_none_or(|(before, _)| *before != path);
            if stamp.size % PACKET != 0 && is_another && uneven.len() < LOOKED_INTO {
                uneven.push((path.to_owned(), stamp));
            }
            let [named, written] = &mut last;
            *named = Some((path.to_owned(), stamp));
            if written.as_ref().is_none_or(|(_, before)| before.modified() < stamp.modified()) {
                *written = Some((path.to_owned(), stamp));
            }
        }
        for (path, stamp) in uneven {
            if !self.is_stream(&path)? {
                continue;
            }
            settled(stamp)?;
            self.remarks.push(Remark::Short(format!("{path} ends within a packet")));
        }
        let [named, written] = last;
        let written = written.filter(|written| named.as_ref() != Some(written));
        for (path, stamp) in [named, written].into_iter().flatten() {
            let media = self.files.media(&path)?;
            let Some(end) = media.and_then(|(mut file, size)| cut_segment(&mut file, size)) else {
                continue;
            };
            settled(stamp)?;
            self.remarks
                .push(Remark::Short(format!("{path} ends after {} of {end} bytes", stamp.size)));
        }
        Ok(())
    }

    /// A segment or its beginning, as it was put on offer.
    fn media_of<'f>(
        &self,
        reference: &Reference,
        found: &'f Resolved,
    ) -> Option<(&'f str, FileVersion)> {
        if !matches!(reference.role, Role::Segment | Role::Init) {
            return None;
        }
        let path = found.path.as_deref()?;
        match self.offers.get(path)? {
            Offer::File(file) => Some((path, file.stamp)),
            Offer::Playlist(_) => None,
        }
    }

    /// Whether a file begins as a transport stream does.
    fn is_stream(&self, path: &str) -> Result<bool, Problem> {
        let Some((mut file, size)) = self.files.media(path)? else { return Ok(false) };
        let mut head = [0; PACKET as usize + 1];
        let read = file.read_exact(&mut head).is_ok();
        Ok(match read {
            true => head[0] == SYNC && head[PACKET as usize] == SYNC,
            // Less than a packet.
            false => size <= PACKET && head[0] == SYNC,
        })
    }
}

/// Fails while what is missing of a file may still come: it was written lately. Nobody writes in the
/// future.
fn settled(stamp: FileVersion) -> Result<(), Problem> {
    match SystemTime::now().duration_since(stamp.modified()) {
        Ok(age) if age < SETTLES => Err(Problem::Changing),
        _ => Ok(()),
    }
}
