//! The contact sheet: all the rolls, the ruler that leads to each of them, and what is said where
//! nothing was found.

use leptos::{
    either::{Either, EitherOf4},
    prelude::*,
};

use super::{
    FEW, Filter, Findings, GuideQuery, Instead, ROLLS_AT_ONCE,
    desk::hash,
    roll::{EmptyRoll, EmptyRollProps, FewFrames, WholeRoll, WholeRollProps, grouped, is_whole},
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
    query: GuideQuery,
    /// The visitor's order.
    order: Order,
    /// The visitor's language.
    lang: Lang,
) -> impl IntoView {
    let found = findings.found;
    let body = match () {
        () if findings.total == 0 => EitherOf4::A(view! { <NoFilm lang /> }),
        () if found == 0 => EitherOf4::B(view! { <Nothing findings query lang /> }),
        () if findings.is_few() => EitherOf4::C(view! { <Few findings query lang /> }),
        () => EitherOf4::D(view! { <Rolls findings query order lang /> }),
    };
    view! {
        <div class="guide-sheet" data-found=found>
            {body}
        </div>
    }
}

#[component]
fn Rolls(findings: Findings, query: GuideQuery, order: Order, lang: Lang) -> impl IntoView {
    let (found, all) = (findings.found, findings.rolls_in_all());
    let first = findings.rolls.first().map_or(1, |roll| roll.number);
    let empty =
        |number| EmptyRoll(EmptyRollProps { number, found, query: query.clone(), order, lang });
    let before = (1..first).map(empty).collect_view();
    let after = (first..=all).filter(|n| !is_whole(&findings, *n)).map(empty).collect_view();
    let whole = findings
        .rolls
        .into_iter()
        .map(|roll| WholeRoll(WholeRollProps { roll, found, query: query.clone(), lang }));
    view! {
        <div class="rolls">
            {before} {whole.collect_view()} {after} <Turn first all query=query.clone() lang />
        </div>
        {(all > 1).then(|| view! { <Ruler first all query lang /> })}
    }
}

/// The way to other rolls without a script.
#[component]
fn Turn(first: u32, all: u32, query: GuideQuery, lang: Lang) -> impl IntoView {
    let texts = lang.guide_texts();
    let link = |roll: u32, text: &'static str, rel: &'static str| {
        view! {
            <a class="secondary" rel=rel href=query.at_roll(roll)>
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
fn Ruler(first: u32, all: u32, query: GuideQuery, lang: Lang) -> impl IntoView {
    let texts = lang.guide_texts();
    let (lines, step) = lines(all);
    let here = lines.iter().rposition(|line| *line <= first);
    let line = |(n, roll): (usize, u32)| {
        // Of many lines every second has its number.
        let number = (n > 0 && (step == 1 || n % 2 == 0)).then(|| grouped(roll));
        view! {
            <li>
                <a
                    href=query.at_roll(roll)
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

/// A small house: everything at once, and the frame that comes next.
#[component]
fn Few(findings: Findings, query: GuideQuery, lang: Lang) -> impl IntoView {
    let texts = lang.guide_texts();
    let (found, total) = (findings.found, findings.total);
    let whole = !query.is_filtered();
    let title = if whole { texts.all_there_is } else { texts.what_answers };
    let print = format!("1–{found} {} {total}", texts.of);
    let next = (whole && total < FEW).then_some((total + 1, texts.not_filmed));
    let frames = findings.rolls.into_iter().flat_map(|roll| roll.frames).collect::<Vec<_>>();
    view! {
        <div class="rolls" data-few="">
            <FewFrames frames title=title.to_owned() print query next lang />
        </div>
    }
}

/// What is said in one sentence of what was found: also the title where that is nothing.
pub(super) fn said(findings: &Findings, query: &GuideQuery, lang: Lang) -> String {
    let texts = lang.guide_texts();
    match (findings.found, findings.instead.number) {
        (0, Some(number)) => format!("{} {}", texts.no_number, grouped(number)),
        (0, None) if !query.text.is_empty() => texts.nothing_with.replace("{}", &query.text),
        (0, None) => texts.nothing_found.to_owned(),
        (found, _) => format!("{found} {}", texts.found),
    }
}

/// Nothing was found: that is said, with what was looked at, and what is near to it.
#[component]
fn Nothing(findings: Findings, query: GuideQuery, lang: Lang) -> impl IntoView {
    let texts = lang.guide_texts();
    let total = findings.total;
    let title = match findings.instead.number {
        Some(number) => Either::Left(view! {
            {texts.no_number}
            " "
            <span class="mark"></span>
            {grouped(number)}
        }),
        None => Either::Right(said(&findings, &query, lang)),
    };
    let Instead { number, wider, near } = findings.instead;
    let sentence = match number {
        Some(_) => texts.ends_at.replace("{}", &grouped(total)),
        None => texts.looked_at.to_owned(),
    };
    let last = near.first().filter(|_| number.is_some()).map(|frame| frame.media.id.clone());
    let ways: Vec<_> = wider
        .into_iter()
        .map(|(wider, count)| {
            let text = match &wider.filter {
                Filter::Tag(tag) if wider.text.is_empty() => hash(tag),
                Filter::All | Filter::Music | Filter::Live | Filter::Tag(_) => wider.text.clone(),
            };
            view! {
                <li>
                    <a class="secondary" href=wider.to_address()>
                        <span dir="auto">{text}</span>
                        <span class="edge-print">{grouped(count)}</span>
                    </a>
                </li>
            }
        })
        .collect();
    let print = format!("{} {} {}", near.len(), texts.of, grouped(total));
    let (name, next) = match number {
        Some(number) => (texts.the_last_one, Some((number, texts.not_developed))),
        None => (texts.near, None),
    };
    let frames = (!near.is_empty()).then(|| {
        view! { <FewFrames frames=near title=name.to_owned() print query=query.clone() next lang /> }
    });
    view! {
        <div class="rolls nothing" data-few="">
            <h2 class="title" dir="auto">
                {title}
            </h2>
            <p>{sentence}</p>
            {(!ways.is_empty()).then(|| view! { <ul>{ways}</ul> })}
            {frames}
            <p class="actions">
                <a class="primary" href=query.widened()>
                    {texts.show_all.replace("{}", &grouped(total))}
                </a>
                {last
                    .map(|id| {
                        view! {
                            <span data-channel=id.to_string()>
                                <a class="secondary" href=id.page()>
                                    {texts.to_the_last}
                                </a>
                            </span>
                        }
                    })}
            </p>
        </div>
    }
}

/// A house without channels.
#[component]
fn NoFilm(lang: Lang) -> impl IntoView {
    let blank = || {
        view! {
            <li class="film-frame">
                <div class="still"></div>
            </li>
        }
    };
    view! {
        <div class="rolls nothing">
            <h2 class="title">{lang.texts().empty_title}</h2>
            <section class="roll">
                <ol aria-hidden="true">{blank()} {blank()} {blank()}</ol>
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
