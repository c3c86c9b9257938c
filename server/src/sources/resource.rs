//! What an address of a channel leads to, whoever has it: a playlist, or a file that can be opened.

use std::{ops::Range, time::Duration};

use futures_util::{
    FutureExt,
    future::{BoxFuture, ready},
};

use crate::{
    cache::Opened,
    catalog::record::{FileOffer, ServedPlaylist},
    storage::{Asked, Direct, StoreError, local::FileVersion},
};

/// What is sent for an address.
pub(crate) enum Resource {
    /// A playlist, from memory.
    Playlist(ServedPlaylist),
    /// A file, or a part of one.
    File(FileResource),
}

/// A file that can be opened.
pub(crate) struct FileResource {
    pub(crate) media_type: &'static str,
    /// As it is now: size, time and entity tag.
    pub(crate) stamp: FileVersion,
    pub(crate) caching: Caching,
    pub(crate) content: Box<dyn Content>,
}

/// How long whoever gets a file may keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caching {
    /// For good: its address names this version.
    Immutable,
    /// For so long, because its own server says that of its address.
    ImmutableFor(Duration),
    /// As long as it is asked for each time.
    Revalidate,
    /// Not at all.
    NoStore,
}

impl Caching {
    /// Of a listed file that is asked for by `version`, and has `stamp` now.
    ///
    /// # Errors
    /// [`SourceError::Unnamed`]: the bytes that this version named are gone, if there ever were any.
    pub(super) fn of(
        offer: &FileOffer,
        stamp: FileVersion,
        version: Option<&str>,
    ) -> Result<Self, SourceError> {
        match version.filter(|_| !offer.loose) {
            None => Ok(Self::Revalidate),
            Some(asked) if asked == stamp.version() || Some(asked) == offer.pinned.as_deref() => {
                Ok(Self::Immutable)
            }
            Some(_) => Err(SourceError::Unnamed),
        }
    }
}

/// The bytes of a file, before anybody has asked for them.
pub(crate) trait Content: Send + Sync {
    /// Bytes `range` of it; a file is answered whole, for the reader to find its place. Waits until the
    /// first of them are there.
    fn open(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Opened, SourceError>>;

    /// Where players read it by themselves, if they are to.
    fn redirect(&self, _media_type: &'static str, _asked: Asked) -> BoxFuture<'_, Option<Direct>> {
        ready(None).boxed()
    }

    /// What to send in its place, after it could not be opened.
    fn instead(
        &self,
        _error: SourceError,
    ) -> BoxFuture<'_, Result<Option<FileResource>, SourceError>> {
        ready(Ok(None)).boxed()
    }

    /// It is being sent: what comes next will be asked for soon.
    fn prefetch_next(&self) {}
}

/// Why something cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceError {
    /// It was listed, and is not there any more.
    Gone,
    /// Nobody names it, or not in the state that is asked for.
    Unnamed,
    /// It is there and cannot be read.
    Unreadable,
    /// This server has no room for it now, or its disk takes its time: that says nothing of the file.
    Later,
    /// The source does not answer.
    Away,
}

impl From<StoreError> for SourceError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Gone | StoreError::Changed => Self::Gone,
            StoreError::Away(_)
            | StoreError::Broken(_)
            | StoreError::Behind
            | StoreError::Refused(_) => Self::Away,
            StoreError::Busy => Self::Later,
        }
    }
}

impl SourceError {
    /// The list may be wrong about it. What somebody only asks for makes no list wrong.
    pub(crate) fn is_doubtful(self) -> bool {
        matches!(self, Self::Gone | Self::Unreadable)
    }
}
