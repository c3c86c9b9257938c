//! What was done to a file beyond what was asked for, one sentence each for its owner.

use std::fmt;

/// Something that a conversion did, and why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Note {
    /// The picture is encoded although it was to be copied: it is turned or mirrored.
    Turned,
    /// The same: a part of it is not to be shown.
    PictureHidden,
    /// The same: it begins with what cannot be shown by itself, or well after the sound.
    PictureLate,
    /// The sound is encoded although it was to be copied: a part of it is not to be heard.
    SoundHidden,
    /// The last picture stays for so many seconds, until the sound ends.
    PictureHeld(
        /// Seconds.
        f64,
    ),
    /// Silence goes before the sound, for so many seconds.
    SilenceBefore(
        /// Seconds.
        f64,
    ),
    /// Silence follows the sound for so many seconds, until the picture ends.
    SilenceAfter(
        /// Seconds.
        f64,
    ),
    /// So many seconds of sound after the last picture are left out.
    SoundTrimmed(
        /// Seconds.
        f64,
    ),
    /// The file is wrong about its pictures a second.
    Rate {
        /// What it says.
        told: f64,
        /// What is made.
        rate: f64,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Turned => f.write_str(
                "the picture was encoded again: the file says to turn it, and a copy would lie on its side",
            ),
            Self::PictureHidden => f.write_str(
                "the picture was encoded again: the file hides a part of it, and a copy would show that",
            ),
            Self::PictureLate => f.write_str(
                "the picture was encoded again: what it begins with cannot be shown by itself",
            ),
            Self::SoundHidden => f.write_str(
                "the sound was encoded again: the file hides a part of it, and a copy would play that",
            ),
            Self::PictureHeld(seconds) => {
                write!(f, "the picture ends {seconds:.1} s before the sound: the last one stays")
            }
            Self::SilenceBefore(seconds) => {
                write!(f, "the sound begins {seconds:.1} s after the picture: silence goes before it")
            }
            Self::SilenceAfter(seconds) => {
                write!(f, "the sound ends {seconds:.1} s before the picture: silence follows it")
            }
            Self::SoundTrimmed(seconds) => {
                write!(f, "the last {seconds:.1} s of the sound were left out: the picture ends there")
            }
            Self::Rate { told, rate } => {
                write!(f, "the file speaks of {told:.0} pictures a second; {rate:.0} were counted")
            }
        }
    }
}
