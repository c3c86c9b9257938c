//! How far picture and sound of a file are of one length, and what makes them so.
//!
//! A player stands still where one of the two has an end and the other has not: a channel of ours
//! has both from its first to its last moment.

use super::measure::Measured;

/// Less than this nobody sees or hears, in seconds: two frames of sound, or two of a film.
pub(super) const EVEN_S: f64 = 0.1;

/// What has to be added to one of two tracks, in seconds each; nothing where there is only one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Even {
    /// Where the picture ends, on a clock that begins with the first of the two.
    pub(super) picture_s: Option<f64>,
    /// The sound begins so much later than the picture, or than the first of the two.
    pub(super) before_s: f64,
    /// It ends so much earlier than the picture.
    pub(super) after_s: f64,
    /// The picture ends so much earlier than the sound.
    pub(super) hold_s: f64,
    /// No clock says where they end.
    pub(super) unknown: bool,
}

impl Even {
    pub(super) fn of(measured: &Measured) -> Self {
        let (Some(picture), Some(sound)) = (measured.picture, measured.sound) else {
            return Self::default();
        };
        let start_s = picture.start_s.min(sound.start_s);
        let before_s = sound.start_s - start_s;
        if picture.clocks > 1 || sound.clocks > 1 {
            return Self { before_s, unknown: true, ..Self::default() };
        }
        Self {
            picture_s: Some(picture.end_s - start_s),
            before_s,
            after_s: (picture.end_s - sound.end_s).max(0.0),
            hold_s: (sound.end_s - picture.end_s).max(0.0),
            unknown: false,
        }
    }
}
