//! The guide: the whole list as a contact sheet, to search, to narrow and to put in order. A
//! document of its own that needs no script; the server renders it and the reels page may show its
//! `.guide` in a dialog.

mod desk;
mod document;
mod open;
mod query;
mod roll;
mod sheet;

use std::sync::Arc;

pub(crate) use self::open::{GuideDialog, guide};
pub use self::{
    document::{GuideRequest, document, roll},
    query::{Filter, GuideQuery},
};
use crate::catalog::Media;

/// Frames of a roll: 3, 4, 6, 9 and 12 columns divide it.
pub const ROLL: u32 = 36;
/// A house of so many channels or fewer fits on one page: no rolls, no tags, larger frames.
pub const FEW: u32 = 12;
/// Rolls that a page holds whole.
pub const ROLLS_AT_ONCE: u32 = 2;

/// What the server found for a guide.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// The rolls that are shown whole, in their order.
    pub rolls: Vec<Roll>,
    /// How many channels were found.
    pub found: u32,
    /// How many there are.
    pub total: u32,
    /// Tags to narrow it by, the most used first.
    pub tags: Vec<String>,
    /// Whether there is music.
    pub music: bool,
    /// Whether something is live.
    pub live: bool,
    /// What is on air now.
    pub on_air: Vec<Frame>,
    /// What is offered where nothing was found.
    pub instead: Instead,
}

/// What is offered where nothing was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Instead {
    /// The number that was asked for, where it is beyond the last one.
    pub number: Option<u32>,
    /// Questions that find something, and how many channels each of them finds.
    pub wider: Vec<(GuideQuery, u32)>,
    /// The channels nearest to what was asked for, the nearest first; for a number the last one.
    pub near: Vec<Frame>,
}

/// Some of the found channels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Roll {
    /// Which roll, from 1.
    pub number: u32,
    /// Its channels.
    pub frames: Vec<Frame>,
}

/// One channel on the sheet.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Its number: its place in the visitor's order, from 1.
    pub number: u32,
    /// The channel.
    pub media: Arc<Media>,
}

impl Findings {
    /// How many rolls there are.
    pub fn rolls_in_all(&self) -> u32 {
        self.found.div_ceil(ROLL)
    }

    /// Whether the house is small.
    pub fn is_few(&self) -> bool {
        self.total <= FEW
    }
}
