//! What was found inside the media of a channel, kept from one look to the next: nothing is looked into
//! twice that is as it was.

use super::files::Files;
use crate::{
    catalog::{metadata::ChannelMetadata, problem::Problem},
    probe::{self, Inspected},
    storage::local::FileVersion,
};

/// What is remembered of a channel from one look to the next.
#[derive(Debug, Default)]
pub(crate) struct ProbeCache {
    /// The files that were looked into.
    files: Vec<Sample>,
    /// What its owner said of it last that could be read.
    pub(crate) about: Option<ChannelMetadata>,
}

#[derive(Debug)]
struct Sample {
    /// The playlist that it is of, or the file itself.
    of: String,
    path: String,
    stamp: FileVersion,
    inspected: Inspected,
}

/// Looks into the file `path` unless `probed` already tells of the same. While live, whatever was
/// found first of the playlist `of` holds: the first segment of the window is another every few
/// seconds. `thorough`: all of the file may be read.
pub(crate) fn cached(
    files: &dyn Files,
    (of, path): (&str, &str),
    stamp: Option<FileVersion>,
    live: bool,
    thorough: bool,
    probed: &mut Option<ProbeCache>,
) -> Result<Option<Inspected>, Problem> {
    let Some(stamp) = stamp else { return Ok(None) };
    let memory = probed.get_or_insert_default();
    let known = memory.files.iter().find(|sample| {
        sample.of == of
            && sample.inspected.probe.is_some()
            && (live || (sample.path == path && sample.stamp == stamp))
    });
    if let Some(known) = known {
        return Ok(Some(known.inspected.clone()));
    }
    let inspected =
        files.media(path)?.and_then(|(file, size)| probe::inspect(file, size, path, thorough));
    memory.files.retain(|sample| sample.of != of);
    let Some(inspected) = inspected else { return Ok(None) };
    let sample = Sample { of: of.into(), path: path.into(), stamp, inspected: inspected.clone() };
    memory.files.push(sample);
    Ok(Some(inspected))
}
