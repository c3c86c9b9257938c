//! Reads `channel.toml` beside a channel's files. One that cannot be read hides the channel, and so that
//! a mistake while somebody edits it hides nothing, the last one that could be read holds.

use super::{files::Files, probe_cache::ProbeCache};
use crate::catalog::{
    metadata::{ChannelMetadata, parse},
    problem::Problem,
};

/// The longest `channel.toml` that is read, in bytes.
pub(crate) const MAX_BYTES: u64 = 64 << 10;

/// What was found of a channel's owner.
#[derive(Debug, Default)]
pub(crate) struct Owner {
    pub(crate) about: ChannelMetadata,
    /// When it was said, Unix time in milliseconds.
    pub(crate) modified_ms: u64,
    /// What is wrong with what is written now; what was written before holds.
    pub(crate) error: Option<String>,
}

/// Reads the file `name`, if there is one. `memory` keeps the last that could be read.
pub(crate) fn read(
    files: &mut dyn Files,
    name: &str,
    memory: &mut Option<ProbeCache>,
) -> Result<Owner, Problem> {
    let memory = memory.get_or_insert_default();
    let (text, modified_ms) = match files.aside(name) {
        Ok(Some(stamp)) => (files.text_aside(name, MAX_BYTES), stamp.modified_ms()),
        Ok(None) if files.is_odd(name) => (Err("it is no plain file".into()), 0),
        Ok(None) => match misnamed(files, name) {
            Some(wrong) => return Err(wrong),
            None => {
                memory.about = None;
                return Ok(Owner::default());
            }
        },
        Err(reason) => (Err(reason.to_string()), 0),
    };
    let read = text.and_then(|text| parse(&text));
    let (about, error) = match (read, &memory.about) {
        (Ok(about), _) => (about, None),
        (Err(why), Some(before)) => (before.clone(), Some(why)),
        (Err(why), None) => return Err(Problem::About { file: name.to_owned(), why }),
    };
    memory.about = Some(about.clone());
    match about.access.narrow() {
        Some(access) => Err(Problem::Access { file: name.to_owned(), access }),
        None => Ok(Owner { about, modified_ms, error }),
    }
}

/// A file that somebody meant by that name: in other letters, or with an extension that an editor added
/// and nobody was shown.
pub(super) fn misnamed(files: &dyn Files, name: &str) -> Option<Problem> {
    let meant = [name.to_owned(), format!("{name}.txt")];
    let all = files.names().unwrap_or_default();
    let mut all = all.iter().chain(files.beside()).filter(|found| *found != name);
    let found = all.find(|found| meant.iter().any(|meant| found.eq_ignore_ascii_case(meant)))?;
    let why = format!("its name has to be {name}");
    Some(Problem::About { file: found.clone(), why })
}
