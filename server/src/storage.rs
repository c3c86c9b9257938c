//! Where bytes live: files of this host, and stores elsewhere behind one trait, [`Store`], with the
//! cache in front of them.

pub mod freshness;
pub mod http;
pub mod local;
mod pace;
pub mod s3;
pub mod turns;

use std::{fmt, ops::Range, time::Duration};

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture, stream::BoxStream};

use self::{freshness::Freshness, local::FileVersion};

/// One object of a store, as the store's list tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its name below the prefix that is ours.
    pub key: String,
    /// Equal stamps are taken for equal bytes.
    pub stamp: FileVersion,
}

/// What an object is that no list tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundObject {
    /// As of a listed one.
    pub stamp: FileVersion,
    /// How long the store says that it stays so.
    pub fresh: Freshness,
    /// The store says what tells one state of it from another.
    pub is_marked: bool,
}

impl FoundObject {
    /// Whether nobody who asks later is served what comes now: it is for who asked, or it would have to
    /// come again in full.
    pub fn is_for_once(&self) -> bool {
        let is_over = self.fresh.lasts.is_some_and(|lasts| lasts.is_zero());
        self.fresh.passing || is_over && !self.is_marked
    }
}

/// Where a player reads an object by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Direct {
    /// The whole address.
    pub address: String,
    /// How long it may be kept and used again.
    pub kept: Duration,
}

/// What a player asks of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Its bytes.
    Bytes,
    /// What it is.
    Head,
}

/// A text that says what there is: a list, a playlist.
#[derive(Clone, Debug)]
pub struct Page {
    /// The address that it came from in the end: what it names is relative to that.
    pub address: String,
    /// What tells one state of it from another.
    pub tag: Tag,
    /// The text.
    pub text: String,
}

/// What a server says of the state of a page, in the form of its headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tag {
    /// Its entity tag.
    pub etag: Option<String>,
    /// When it last changed.
    pub modified: Option<String>,
    /// It is not for others: nothing of it is written down.
    pub passing: bool,
}

/// Bytes of an object, as they come.
pub type Content = BoxStream<'static, Result<Bytes, StoreError>>;

/// What a store will have answered.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Objects that lie somewhere else: a bucket, another server.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// One word that tells it from other stores: in file names, in the log, behind an id that is
    /// taken.
    fn name(&self) -> &'static str;

    /// What people call it, as in `bucket "films"`.
    fn label(&self) -> String;

    /// All that makes it this store and no other; nothing secret.
    fn identity(&self) -> String;

    /// Who is asked for this object: what fails at one says nothing of another.
    fn site(&self, _key: &str) -> String {
        String::new()
    }

    /// The one among them that the store itself stands or falls with.
    fn home(&self) -> String {
        String::new()
    }

    /// All objects below the prefix that is ours; none where only pages tell of them.
    fn list(&self) -> Answer<'_, Vec<Object>>;

    /// The objects whose keys begin so.
    fn list_below(&self, _begin: &str) -> Answer<'_, Vec<Object>> {
        self.list()
    }

    /// The bytes `range` of an object, if it still is what `stamp` says. One request; whoever wants
    /// it tried again does so himself.
    fn read(&self, key: &str, stamp: FileVersion, range: Range<u64>) -> Answer<'_, Content>;

    /// Where players read an object by themselves, told that it is of `media_type`; `None` where it
    /// has to come through this server.
    fn direct(
        &self,
        _key: &str,
        _media_type: &'static str,
        _asked: Asked,
    ) -> Answer<'_, Option<Direct>> {
        async { Ok(None) }.boxed()
    }

    /// What an object is now, for stores without a list.
    fn look(&self, _key: &str) -> Answer<'_, FoundObject> {
        async { Err(StoreError::Gone) }.boxed()
    }

    /// As [`Self::look`], with its bytes from the beginning on.
    fn find(&self, _key: &str) -> Answer<'_, (FoundObject, Content)> {
        async { Err(StoreError::Gone) }.boxed()
    }

    /// A page; `None` where it still is what `known` says.
    fn page(&self, _key: &str, _known: Option<&Tag>) -> Answer<'_, Option<Page>> {
        async { Err(StoreError::Gone) }.boxed()
    }
}

/// Why a store did not answer what was asked. Nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, does not answer in time, or says that it is unwell: time may mend it.
    #[error("it cannot be reached: {0}")]
    Away(String),
    /// It is there, and its answer does not come, breaks off or is none: time may mend it, and what else
    /// it has may be well.
    #[error("it cannot be reached: {0}")]
    Broken(String),
    /// It answers, and what it has this from does not: time may mend it, asking again at once will not.
    #[error("what it has this from cannot be reached")]
    Behind,
    /// It is asked for as much as it may be: a moment later there is room.
    #[error("too much is asked of it at once")]
    Busy,
    /// It answers that it does not want us, or not like this: a person has to mend it.
    #[error("{0}")]
    Refused(Refusal),
    /// There is no such object.
    #[error("the object is gone")]
    Gone,
    /// The object is another than the one that was listed.
    #[error("the object is not as it was listed")]
    Changed,
}

/// What is wrong with the settings of a store, and what mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub what: String,
    /// What mends it.
    pub fix: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.fix)
    }
}

impl StoreError {
    /// Whether time may mend it.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Away(_) | Self::Broken(_) | Self::Behind | Self::Busy)
    }

    /// Whether asking again in a moment may help: the store is away, or its answer came badly.
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Away(_) | Self::Broken(_))
    }
}
