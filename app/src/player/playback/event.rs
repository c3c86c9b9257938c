//! What happens to the reel on screen, what it does then, and what is to be done about it.

use super::{super::Cause, Look};

/// Who has paused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// A person, in the page.
    Person,
    /// A call, a cable, a media key, the small window, the browser itself.
    Outside,
}

/// What the reel on screen does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It is to play, and its picture does not move yet or no longer.
    Waiting,
    /// The picture moves; of music, the sound.
    Playing,
    /// It stands because somebody wants that.
    Paused(By),
    /// The browser starts nothing unless a person touches the page.
    NeedsTap,
    /// It was given up.
    Failed(Cause),
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Event {
    /// Another reel is on screen.
    Shown {
        /// Its first picture is decoded.
        ready: bool,
        /// It has no picture.
        audio: bool,
        /// It grows while it plays.
        live: bool,
    },
    /// The reel was left, and the next one is not loaded yet.
    Left,
    /// The first picture is decoded.
    Ready,
    /// A frame was presented, or the sound of music is heard.
    Moves,
    /// The element has run out of data.
    Starves {
        /// On its way to another second.
        seeking: bool,
        /// The second that it is to play is in the buffer.
        buffered: bool,
    },
    /// The element plays, whoever asked for it.
    Began,
    /// The element was paused, and not by us.
    Stopped {
        /// Milliseconds of the page's clock.
        ms: f64,
    },
    /// The browser refused to play.
    Refused {
        /// Although there was no sound.
        muted: bool,
    },
    /// Bytes of the reel have come.
    Bytes {
        /// They end a segment.
        segment: bool,
    },
    /// A second has passed.
    Second(Look),
    /// The page is seen no longer, or again.
    Hidden {
        /// Nobody sees it.
        hidden: bool,
        /// Milliseconds of the page's clock.
        ms: f64,
    },
    /// A person wants it to play.
    Play,
    /// Somebody wants it to stand.
    Pause(By),
    /// A person wants another try.
    Retry,
    /// The network is back.
    Online,
    /// The playlist is to be loaded anew.
    Reload,
    /// A segment is gone: the playlist has another version.
    Gone,
    /// A live playlist has new segments.
    Grew,
    /// A live playlist counts from an earlier number than before: its encoder has started anew.
    Restarted,
    /// The player's library has given up.
    Fatal {
        /// Network, as against the media itself.
        network: bool,
    },
    /// A method of the player's library has thrown: what it holds is not to be trusted.
    Threw,
    /// It cannot be played, for this cause.
    Broken(Cause),
}

/// What is to be done about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Command {
    /// Ask the element to play. What the browser loads by itself is asked for at once, because phones
    /// load nothing of it before; of what hls.js loads the first picture is waited for.
    Play,
    /// Pause the element.
    Pause,
    /// Switch the sound off: it was refused.
    Mute,
    /// Start and stop the other element within this gesture, so that it may play later.
    Bless,
    /// The other element runs no more: it would be refused as well.
    RestSpare,
    /// Count seconds from now on.
    StartClock,
    /// The network is for the reel on screen; the neighbour waits.
    GiveWay,
    /// The reel has stalled: it counts for the statistics, and for what is preloaded.
    NoteStall,
    /// The picture moves: what waited for that may go on.
    Move,
    /// Stop loading what cannot be played.
    GiveUp(Cause),
    /// What was given up sends bytes again: it is kept.
    TakeBack,
    /// Let the library repair its decoder.
    Recover,
    /// Load the reel anew at the second where it stands, or at the live edge.
    Reload,
    /// The same, so many seconds behind what is buffered.
    ReloadPast(f64),
    /// Load the playlist anew, when the last time is some while ago.
    ReloadSoon,
    /// Seek to this second.
    Seek(f64),
    /// Say that nothing more comes for the shorter track, so that the longer one goes on.
    EndBuffer,
    /// Go on as at the end of the reel.
    End,
}
