//! One list out of several sources: who gets which id, what is the same and listed once, and what
//! has to take another name.

use std::{
    collections::{HashMap, HashSet},
    ffi::OsString,
    sync::Arc,
};

use app::catalog::ChannelId;

use super::{
    name,
    problem::Problem,
    record::{ChannelRecord, SourceId},
    source_list::SourceList,
};

/// A channel with its place in the list.
pub(super) struct Named {
    pub(super) id: ChannelId,
    /// The name in its source.
    pub(super) name: OsString,
    /// First segment of its address below `/streams/`, decoded.
    pub(super) address: String,
    pub(super) record: Arc<ChannelRecord>,
    /// The source can be reached.
    pub(super) available: bool,
}

#[derive(Default)]
struct Naming {
    named: Vec<Named>,
    taken: HashMap<ChannelId, Arc<ChannelRecord>>,
    addresses: HashSet<String>,
    clashes: Vec<(OsString, Problem)>,
}

/// Names the channels of each source in turn. Also answers what has to be renamed to be listed.
///
/// In a second pass channels that are made of others are left out where none of those is listed, and
/// count as away where all of those do.
pub(super) fn name_all(lists: &[Arc<SourceList>]) -> (Vec<Named>, Vec<(OsString, Problem)>) {
    let mut naming = Naming::default();
    for list in lists {
        let available = |name: &OsString| list.available && !list.behind.contains(name);
        let suffix = (list.id != SourceId::LOCAL).then(|| list.id.name());
        naming.source(|| list.channels.iter(), suffix, available);
    }
    let Naming { mut named, clashes, .. } = naming;
    // A channel that is made of others may not be one of those in turn: none refers to itself by a
    // detour.
    let plain = named.iter().filter(|named| named.record.refers_to.is_empty());
    let plain: HashMap<ChannelId, bool> =
        plain.map(|named| (named.id.clone(), named.available)).collect();
    named.retain_mut(|named| {
        let parts = || named.record.refers_to.iter().filter_map(|id| plain.get(id));
        if named.record.refers_to.is_empty() {
            return true;
        }
        named.available &= parts().any(|available| *available);
        parts().next().is_some()
    });
    (named, clashes)
}

impl Naming {
    /// A folder's id goes before a file's of the same name, files in byte order.
    fn source<'a, I>(
        &mut self,
        all: impl Fn() -> I,
        suffix: Option<&str>,
        available: impl Fn(&OsString) -> bool,
    ) where
        I: Iterator<Item = (&'a OsString, &'a Arc<ChannelRecord>)>,
    {
        // Who has which id within this source.
        let mut own: HashSet<ChannelId> = HashSet::new();
        for bare in [false, true] {
            for (name, record) in all().filter(|(_, record)| record.bare == bare) {
                let text = name.to_string_lossy();
                let stem = text.rsplit_once('.').map_or(&*text, |(stem, _)| stem);
                let candidates = if bare { vec![stem, &text] } else { vec![&*text] };
                let ids: Vec<_> =
                    candidates.iter().filter_map(|text| name::id(text).ok()).collect();
                let same =
                    |id: &ChannelId| self.taken.get(id).is_some_and(|taken| is_same(taken, record));
                if suffix.is_some() && ids.iter().any(same) {
                    continue;
                }
                let id = ids.iter().find(|id| !own.contains(*id)).cloned();
                let free = id.clone().and_then(|id| self.free(id, suffix, bare));
                match (free, id) {
                    (Some(free), Some(id)) => {
                        own.insert(id);
                        self.take(free, name, record, available(name));
                    }
                    _ => {
                        let clash = Problem::Clash(name::nfc(candidates[0]));
                        self.clashes.push((name.clone(), clash));
                    }
                }
            }
        }
    }

    /// The id, or where another has it the id with this source's word behind it. The id of a folder is
    /// its address too, which may be that of a file.
    fn free(&self, id: ChannelId, suffix: Option<&str>, bare: bool) -> Option<ChannelId> {
        let is_free = |id: &ChannelId| {
            !self.taken.contains_key(id) && (bare || !self.addresses.contains(id.as_str()))
        };
        if is_free(&id) {
            return Some(id);
        }
        let other = ChannelId::parse(&format!("{id}.{}", suffix?)).ok()?;
        is_free(&other).then_some(other)
    }

    fn take(
        &mut self,
        id: ChannelId,
        name: &OsString,
        record: &Arc<ChannelRecord>,
        available: bool,
    ) {
        let address = if record.bare { self.address(&id, record) } else { id.as_str().to_owned() };
        self.addresses.insert(address.clone());
        self.taken.insert(id.clone(), record.clone());
        let (name, record) = (name.clone(), record.clone());
        self.named.push(Named { id, name, address, record, available });
    }

    /// A bare file's own name, or one made of its id where that leads to something else already: to
    /// another file, a folder, or what is made of one.
    fn address(&self, id: &ChannelId, record: &ChannelRecord) -> String {
        let file = name::nfc(&record.main);
        let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension).to_owned();
        let is_free = |address: &String| {
            !self.addresses.contains(address)
                && ChannelId::parse(address)
                    .map_or(true, |other| other == *id || !self.taken.contains_key(&other))
        };
        let more = (1_u32..).map(|n| match n {
            1 => format!("{id}.{extension}"),
            n => format!("{id}.{n}.{extension}"),
        });
        // There is always one that nobody has.
        std::iter::once(file).chain(more).find(is_free).unwrap_or_default()
    }
}

fn is_same(one: &ChannelRecord, other: &ChannelRecord) -> bool {
    one.bare == other.bare && one.live == other.live && one.content.agrees(&other.content)
}
