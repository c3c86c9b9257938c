//! One roll: strips of film with a frame for each channel. It is the same size whether it is full
//! or still to be fetched.

use leptos::prelude::*;

use super::{Findings, Frame, GuideQuery, ROLL, Roll};
use crate::{
    catalog::{Kind, Order},
    icon::Icon,
    text::Lang,
};

/// A roll with its channels.
#[component]
pub(super) fn WholeRoll(
    /// What it shows.
    roll: Roll,
    /// How many channels were found.
    found: u32,
    /// Where the visitor came from.
    query: GuideQuery,
    /// The visitor's language.
    lang: Lang,
) -> impl IntoView {
    let number = roll.number;
    let frame = |frame: Frame| {
        let current = query.here.as_ref() == Some(&frame.media.id);
        view! { <FrameOf frame current lang /> }
    };
    view! {
        <section
            class="roll"
            id=format!("roll-{number}")
            data-roll=number
            aria-labelledby=format!("roll-{number}-name")
        >
            <Header number found lang />
            <ol>{roll.frames.into_iter().map(frame).collect_view()}</ol>
        </section>
    }
}

/// The channels of a small house, or the few that are near to what was not found: frames as large as
/// the window allows.
#[component]
pub(super) fn FewFrames(
    /// What it shows.
    frames: Vec<Frame>,
    /// Its name.
    title: String,
    /// Which of how many, as it is printed.
    print: String,
    /// Where the visitor came from.
    query: GuideQuery,
    /// The number of a frame that nobody has filmed yet, and what is said of it.
    next: Option<(u32, &'static str)>,
    /// The visitor's language.
    lang: Lang,
) -> impl IntoView {
    let rows = frames.len();
    let frame = |frame: Frame| {
        let current = query.here.as_ref() == Some(&frame.media.id);
        view! { <FrameOf frame current lang /> }
    };
    // As many rows as there are, for each number of columns.
    let style: String =
        (3..=5).map(|columns| format!("--rows-{columns}:{};", rows.div_ceil(columns))).collect();
    let next = next.map(|(number, title)| view! { <UnexposedFrame number title /> });
    view! {
        <section class="roll" data-few="" style=style aria-labelledby="few">
            <header>
                <h2 id="few">{title}</h2>
                <p class="edge-print">{print}</p>
            </header>
            <ol>{frames.into_iter().map(frame).collect_view()} {next}</ol>
        </section>
    }
}

/// A frame that has no picture, and leads nowhere. Where no other shares its row it is not seen.
#[component]
fn UnexposedFrame(number: u32, title: &'static str) -> impl IntoView {
    view! {
        <li class="film-frame unexposed" aria-hidden="true">
            <div>
                <div class="still"></div>
                <p class="edge-print">
                    <span>
                        <span class="mark"></span>
                        {grouped(number)}
                    </span>
                </p>
                <b>{title}</b>
            </div>
        </li>
    }
}

/// The place of a roll that is fetched when it comes near.
#[component]
pub(super) fn EmptyRoll(
    /// Which roll, from 1.
    number: u32,
    /// How many channels were found.
    found: u32,
    /// What is asked for.
    query: GuideQuery,
    /// The visitor's order.
    order: Order,
    /// The visitor's language.
    lang: Lang,
) -> impl IntoView {
    let frames = found.saturating_sub((number - 1) * ROLL).min(ROLL);
    view! {
        <section
            class="roll"
            id=format!("roll-{number}")
            data-roll=number
            data-src=query.roll_alone(number, order)
            style=(frames < ROLL).then(|| format!("--frames:{frames}"))
            aria-labelledby=format!("roll-{number}-name")
        >
            <Header number found lang />
        </section>
    }
}

/// Which roll it is and which of the found it holds.
#[component]
fn Header(number: u32, found: u32, lang: Lang) -> impl IntoView {
    let texts = lang.guide_texts();
    let first = (number - 1) * ROLL + 1;
    let last = (number * ROLL).min(found);
    view! {
        <header>
            <h2 id=format!(
                "roll-{number}-name",
            )>{format!("{} {}", texts.roll, grouped(number))}</h2>
            <p class="edge-print">
                {format!("{}–{} {} {}", grouped(first), grouped(last), texts.of, grouped(found))}
            </p>
        </header>
    }
}

/// A frame of the film, its number and length, its title beneath.
#[component]
fn FrameOf(frame: Frame, current: bool, lang: Lang) -> impl IntoView {
    let Frame { number, media } = frame;
    let length = match media.duration_s {
        _ if media.live => lang.guide_texts().live_mark.to_owned(),
        Some(seconds) => length(seconds),
        None => String::new(),
    };
    let picture = media.poster.clone().map(|poster| {
        view! { <img src=poster alt="" loading="lazy" decoding="async" width="108" height="135" /> }
    });
    let blank = (media.poster.is_none() && media.kind == Kind::Audio)
        .then(|| view! { <Icon name="music" /> });
    view! {
        <li class="film-frame" data-channel=media.id.to_string()>
            <a href=media.id.page() aria-current=current.then_some("true")>
                <div class="still">{picture} {blank}</div>
                <p class="edge-print">
                    <span>
                        <span class="mark"></span>
                        {grouped(number)}
                    </span>
                    " "
                    <span data-live=media.live.then_some("")>{length}</span>
                </p>
                <b dir="auto">{media.title.clone()}</b>
            </a>
        </li>
    }
}

/// `m:ss`, and `h:mm:ss` from an hour on.
fn length(seconds: f64) -> String {
    let s = seconds.max(0.0) as u64;
    if s >= 3600 {
        format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
    } else {
        format!("{}:{:02}", s / 60, s % 60)
    }
}

/// A number in groups of three, from five digits on.
pub(super) fn grouped(number: u32) -> String {
    let digits = number.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut text = String::with_capacity(digits.len() + 4);
    for (n, digit) in digits.char_indices() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push('\u{A0}');
        }
        text.push(digit);
    }
    text
}

/// Whether a roll is one of those that came whole.
pub(super) fn is_whole(findings: &Findings, number: u32) -> bool {
    findings.rolls.iter().any(|roll| roll.number == number)
}

#[cfg(test)]
mod tests {
    use super::{grouped, length};

    #[test]
    fn numbers_and_lengths_are_as_printed() {
        for (number, text) in
            [(7, "7"), (9999, "9999"), (10_000, "10\u{A0}000"), (1_234_567, "1\u{A0}234\u{A0}567")]
        {
            assert_eq!(grouped(number), text);
        }
        for (seconds, text) in [(0.4, "0:00"), (96.9, "1:36"), (3725.0, "1:02:05")] {
            assert_eq!(length(seconds), text);
        }
    }
}
