//! The contact sheet: all the rolls, the ruler that leads to each of them, and what is said where
//! nothing was found.

use leptos::{either::Either, prelude::*};

use super::{
    Choice, Findings, ROLLS_AT_ONCE,
    roll::{EmptyRoll, EmptyRollProps, WholeRoll, WholeRollProps, grouped, is_whole},
};
use crate::{catalog::Order, text::Lang};

/// Up to so many rolls each have a line of their own on the ruler.
const RULER_EACH: u32 = 16;
/// Of more rolls it has about so many.
const RULER_LINES: u32 = 8;
/// Finer lines between two of those.
const RULER_FINE: u32 = 5;

/// What a search swaps.
#[component]
pub(super) fn Sheet(
    /// What was found.
    findings: Findings,
    /// What was asked for.
    choice: Choice,
    /// The visitor's order.
    order: Order,
    /// The visitor's language.
    lang: Lang,
) -> impl IntoView {
    let found = findings.found;
    let body = if found == 0 {
        Either::Left(view! { <Nothing choice lang /> })
    } else {
        Either::Right(view! { <Rolls findings choice order lang /> })
    };
    view! {
        <div class="guide-sheet" data-found=found>
            {body}
        </div>
    }
}

#[component]
fn Rolls(findings: Findings, choice: Choice, order: Order, lang: Lang) -> impl IntoView {
    let (found, all) = (findings.found, findings.rolls_in_all());
    let first = findings.rolls.first().map_or(1, |roll| roll.number);
    let empty =
        |number| EmptyRoll(EmptyRollProps { number, found, choice: choice.clone(), order, lang });
    let before = (1..first).map(empty).collect_view();
    let after = (first..=all).filter(|n| !is_whole(&findings, *n)).map(empty).collect_view();
    let whole = findings
        .rolls
        .into_iter()
        .map(|roll| WholeRoll(WholeRollProps { roll, found, choice: choice.clone(), lang }));
    view! {
        <div class="rolls">
            {before} {whole.collect_view()} {after} <Turn first all choice=choice.clone() lang />
        </div>
        {(all > 1).then(|| view! { <Ruler first all choice lang /> })}
    }
}

/// The way to other rolls without a script.
#[component]
fn Turn(first: u32, all: u32, choice: Choice, lang: Lang) -> impl IntoView {
    let texts = lang.guide_texts();
    let link = |roll: u32, text: &'static str, rel: &'static str| {
        view! {
            <a class="secondary" rel=rel href=choice.at_roll(roll)>
                {text}
            </a>
        }
    };
    let previous = (first > 1)
        .then(|| link(first.saturating_sub(ROLLS_AT_ONCE).max(1), texts.previous_rolls, "prev"));
    let next = first + ROLLS_AT_ONCE;
    let next = (next <= all).then(|| link(next, texts.next_rolls, "next"));
    (previous.is_some() || next.is_some()).then(|| {
        view! {
            <nav class="guide-turn" aria-label=texts.rolls>
                {previous}
                {next}
            </nav>
        }
    })
}

/// The lines of the ruler: every roll, or of many some at even distances.
fn lines(all: u32) -> (Vec<u32>, u32) {
    if all <= RULER_EACH {
        return ((1..=all).collect(), 1);
    }
    let step = all.div_ceil(RULER_LINES).next_multiple_of(RULER_FINE);
    (std::iter::once(1).chain((1..=all / step).map(|n| n * step)).collect(), step)
}

/// The ruler of rolls at the right edge.
#[component]
fn Ruler(first: u32, all: u32, choice: Choice, lang: Lang) -> impl IntoView {
    let texts = lang.guide_texts();
    let (lines, step) = lines(all);
    let here = lines.iter().rposition(|line| *line <= first);
    let line = |(n, roll): (usize, u32)| {
        // Of many lines every second has its number.
        let number = (n > 0 && (step == 1 || n % 2 == 0)).then(|| grouped(roll));
        view! {
            <li>
                <a
                    href=choice.at_roll(roll)
                    data-to=roll
                    aria-current=(here == Some(n)).then_some("true")
                    aria-label=format!("{} {}", texts.roll, grouped(roll))
                >
                    <span class="edge-print">{number}</span>
                </a>
            </li>
        }
    };
    let items = lines.iter().copied().enumerate().map(line).collect_view();
    view! {
        <nav class="ruler" aria-label=texts.rolls data-fine=(step > 1).then_some("")>
            <ol>{items}</ol>
        </nav>
    }
}

/// A blank strip, what it means, and the way back to all.
#[component]
fn Nothing(choice: Choice, lang: Lang) -> impl IntoView {
    let texts = lang.guide_texts();
    let narrow = choice.is_narrow();
    let sentence = if narrow { texts.nothing_found } else { lang.texts().empty_title };
    let blank = || {
        view! {
            <li class="film-frame">
                <div class="still"></div>
            </li>
        }
    };
    view! {
        <div class="rolls nothing">
            <section class="roll">
                <ol aria-hidden="true">{blank()} {blank()} {blank()}</ol>
                <p>{sentence}</p>
                {narrow
                    .then(|| {
                        view! {
                            <p>
                                <a class="primary" href=choice.widened()>
                                    {texts.show_all}
                                </a>
                            </p>
                        }
                    })}
            </section>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn the_ruler_has_few_lines() {
        assert_eq!(lines(2).0, [1, 2]);
        assert_eq!(lines(16).0.len(), 16);
        assert_eq!(lines(17), (vec![1, 5, 10, 15], 5));
        assert_eq!(lines(278), (vec![1, 35, 70, 105, 140, 175, 210, 245], 35));
    }
}
