//! The operator's page: how fast it feels, who watches, how the house is. Sums only. The server
//! renders it whole; of the WASM bundle it costs an element.

use leptos::prelude::*;

use crate::{
    icon::Logo,
    start::Rendered,
    text::{Lang, Texts},
};

/// Bars of [`PulseReport::bars`]; the last also holds what is longer.
pub const BARS: usize = 80;
/// Milliseconds that a bar may be wide: the narrowest that shows nineteen of twenty swipes.
pub const BAR_WIDTHS_MS: [u32; 8] = [5, 10, 25, 50, 100, 250, 500, 1_000];

/// From finger to picture, half of the time, in milliseconds.
const TARGET_P50_MS: u32 = 80;
/// And nineteen times of twenty.
const TARGET_P95_MS: u32 = 130;

/// What the page shows. Nothing in it says which reel, who or where from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PulseReport {
    /// Finger to picture, the median of the last 2,000 swipes; `None` without any.
    pub swipe_p50_ms: Option<u32>,
    /// The 95th of a hundred.
    pub swipe_p95_ms: Option<u32>,
    /// Opening to picture, the median.
    pub cold_ms: Option<u32>,
    /// The last swipes by time, [`BARS`] bars of [`PulseReport::bar_ms`] each.
    pub bars: Vec<u32>,
    /// Milliseconds of one bar: one of [`BAR_WIDTHS_MS`]; 0 where there are none.
    pub bar_ms: u32,
    /// Open sockets.
    pub watching: u32,
    /// Reels that somebody watches.
    pub rooms: u32,
    /// Open sockets by minute, at most 60, the oldest first.
    pub hour: Vec<u32>,
    /// Resident memory.
    pub memory_bytes: u64,
    /// Seconds since the start.
    pub uptime_s: u64,
    /// Channels of the list.
    pub channels: u32,
    /// Chat messages since the start.
    pub messages: u64,
}

/// What the operator's page asks; the server implements it and provides it as context.
pub trait Pulse: Send + Sync + 'static {
    /// How it is now.
    fn report(&self) -> PulseReport;
}

/// The page around what the server rendered. A script of its own looks again (`public/pulse.js`); it
/// has no other script.
#[component]
pub(crate) fn PulsePage(
    /// The server's HTML.
    shown: Rendered,
) -> impl IntoView {
    view! { <main class="pulse" inner_html=shown.0></main> }
}

/// The HTML inside the page's `main`: the server's side.
pub(crate) fn rendered(report: &PulseReport, lang: Lang) -> String {
    let texts = lang.texts();
    let target = |target_ms: u32| format!(" · {} {}", texts.target, spoken(target_ms, texts));
    let rooms = match report.rooms {
        1 => texts.in_one_channel.to_owned(),
        rooms => texts.in_channels.replace("{}", &rooms.to_string()),
    };
    let ms = |ms: Option<u32>| ms.map(|ms| measured(ms, texts));
    let cold = report.cold_ms.map(|ms| (seconds(ms, texts), "s"));
    let watching = Some((report.watching.to_string(), ""));
    let numbers = [
        (texts.finger_to_picture, ms(report.swipe_p50_ms), format!("p50{}", target(TARGET_P50_MS))),
        (texts.the_slowest, ms(report.swipe_p95_ms), format!("p95{}", target(TARGET_P95_MS))),
        (texts.cold_open, cold, texts.until_it_moves.to_owned()),
        (texts.watching_now, watching, rooms),
    ];
    let megabytes = report.memory_bytes as f64 / 1e6;
    let house = [
        (texts.memory, format!("{megabytes:.0} MB")),
        (texts.running_for, lasting(report.uptime_s)),
        (texts.channels, report.channels.to_string()),
        (texts.chat_messages, report.messages.to_string()),
    ];
    view! {
        <header>
            <a href="/" aria-label="Carrete">
                <Logo />
            </a>
            <h1>{texts.pulse}</h1>
        </header>
        <dl class="numbers">
            {numbers
                .into_iter()
                .map(|(name, value, below)| number(name, value, below))
                .collect_view()}
        </dl>
        <div class="charts">
            <section>
                <h2>{texts.last_swipes}</h2>
                {swipes(report, texts)}
            </section>
            <section>
                <h2>{texts.watching_last_hour}</h2>
                {hour(report, texts)}
            </section>
        </div>
        <section class="house">
            <h2>{texts.the_house}</h2>
            <dl>
                {house
                    .into_iter()
                    .map(|(name, value)| {
                        view! {
                            <div>
                                <dt>{name}</dt>
                                <dd>{value}</dd>
                            </div>
                        }
                    })
                    .collect_view()}
            </dl>
        </section>
    }
    .to_html()
}

/// One of the four; without data a dash, which is not zero.
fn number(
    name: &'static str,
    value: Option<(String, &'static str)>,
    below: String,
) -> impl IntoView {
    let (value, unit) = value.unwrap_or_else(|| ("–".into(), ""));
    view! {
        <div>
            <dt>{name}</dt>
            <dd>
                <b>{value}</b>
                <span>{unit}</span>
            </dd>
            <dd class="below">{below}</dd>
        </div>
    }
}

/// A time as people read it: milliseconds up to a second, then seconds; and its unit.
fn measured(ms: u32, texts: &Texts) -> (String, &'static str) {
    if ms < 1_000 { (ms.to_string(), "ms") } else { (seconds(ms, texts), "s") }
}

/// Seconds with two digits behind the point, from ten on with one, from a hundred on with none.
fn seconds(ms: u32, texts: &Texts) -> String {
    let digits = match ms {
        0..9_995 => 2,
        9_995..99_950 => 1,
        _ => 0,
    };
    decimal(f64::from(ms) / 1_000.0, digits, texts)
}

/// The same in one word; what keeps number and unit on one line stands between them.
fn spoken(ms: u32, texts: &Texts) -> String {
    let (number, unit) = measured(ms, texts);
    format!("{number}\u{A0}{unit}")
}

/// The width and height of both charts, in their own units.
const WIDTH: f64 = 800.0;
const HOUR_HEIGHT: f64 = 96.0;
/// Where the bars of the swipes begin and end; the words stand above and below them.
const BARS_TOP: f64 = 46.0;
const BARS_BOTTOM: f64 = 246.0;
/// The rows of the words above: the outer one and the one beside the bars.
const ABOVE: [f64; 2] = [16.0, 37.0];
/// And of those below.
const BELOW: [f64; 2] = [287.0, 266.0];
/// A word needs so much room beside its line.
const WORD: f64 = 190.0;

/// Where the words of two lines stand, at `x` and `y` (`x <= y`): for each its row and whether it stands
/// before its line. Lines end at their word's row, so that none of them goes through a word.
fn rows(x: f64, y: f64) -> [(usize, bool); 2] {
    if y + WORD <= WIDTH {
        // The outer line passes the inner row before the word there begins.
        [(0, false), (1, false)]
    } else {
        [(1, x + WORD > y), (0, true)]
    }
}

/// The swipes as a mirrored histogram: lamp up to the median, half to p95, dim behind.
fn swipes(report: &PulseReport, texts: &'static Texts) -> impl IntoView {
    let bar_ms = report.bar_ms.max(BAR_WIDTHS_MS[0]);
    let most = f64::from(report.bars.iter().copied().max().unwrap_or(0).max(1));
    let pitch = WIDTH / BARS as f64;
    let below =
        |percentile: Option<u32>, n: usize| percentile.is_some_and(|ms| n as u32 * bar_ms <= ms);
    let tallest = BARS_BOTTOM - BARS_TOP;
    let bars = report.bars.iter().enumerate().map(|(n, count)| {
        let height = (f64::from(*count) / most * tallest).max(3.0);
        let part = match () {
            () if below(report.swipe_p50_ms, n) => "half",
            () if below(report.swipe_p95_ms, n) => "most",
            () => "rest",
        };
        let y = BARS_TOP + (tallest - height) / 2.0;
        view! {
            <rect
                data-part=part
                x=fixed(n as f64 * pitch + 1.5)
                y=fixed(y)
                width=fixed(pitch - 3.0)
                height=fixed(height)
                rx="2"
            />
        }
    });
    let at = |ms: u32| (f64::from(ms) / f64::from(bar_ms) * pitch).min(WIDTH - 1.0);
    // Two lines with their words, above the bars or below them.
    let marks = |times: [u32; 2], name: &dyn Fn(usize, u32) -> String, is_target: bool| {
        let target = is_target.then_some("");
        let (rows_at, from, to) =
            if is_target { (BELOW, BARS_TOP, -18.0) } else { (ABOVE, BARS_BOTTOM, 4.0) };
        let places = rows(at(times[0]), at(times[1]));
        let each = times.into_iter().zip(places).enumerate().map(|(n, (ms, (row, before)))| {
            let (x, row) = (at(ms), rows_at[row]);
            let (anchor, word_at) = if before { ("end", x - 8.0) } else { ("start", x + 8.0) };
            let line = view! {
                <line data-target=target x1=fixed(x) x2=fixed(x) y1=fixed(from) y2=fixed(row + to) />
            };
            let word = view! {
                <text data-target=target x=fixed(word_at) y=fixed(row) text-anchor=anchor>
                    {name(n, ms)}
                </text>
            };
            (line, word)
        });
        each.unzip::<_, _, Vec<_>, Vec<_>>()
    };
    let p = |n: usize| if n == 0 { "p50" } else { "p95" };
    let (target_lines, target_words) = marks(
        [TARGET_P50_MS, TARGET_P95_MS],
        &|n, ms| format!("{} {} · {}", texts.target, p(n), spoken(ms, texts)),
        true,
    );
    let told = report.swipe_p50_ms.zip(report.swipe_p95_ms).map(|(p50, p95)| {
        marks([p50, p95], &|n, ms| format!("{} · {}", p(n), spoken(ms, texts)), false)
    });
    let label = match (report.swipe_p50_ms, report.swipe_p95_ms) {
        (Some(p50), Some(p95)) => {
            format!("p50 {}, p95 {}", spoken(p50, texts), spoken(p95, texts))
        }
        _ => texts.no_swipes_yet.to_owned(),
    };
    let ticks = (0..=4).map(|n| {
        let ms = n * bar_ms * BARS as u32 / 4;
        view! { <span>{if n == 0 { "0".to_owned() } else { spoken(ms, texts) }}</span> }
    });
    view! {
        <svg viewBox="0 0 800 292" role="img" aria-label=label>
            {bars.collect_view()}
            {target_lines}
            {target_words}
            {told}
        </svg>
        <p class="ticks scale" aria-hidden="true">
            {ticks.collect_view()}
        </p>
    }
}

/// Who watched, a bar a minute; the last is now.
fn hour(report: &PulseReport, texts: &'static Texts) -> impl IntoView {
    const MINUTES: usize = 60;
    let most = f64::from(report.hour.iter().copied().max().unwrap_or(0).max(1));
    let pitch = WIDTH / MINUTES as f64;
    let first = MINUTES.saturating_sub(report.hour.len());
    let label = report.hour.iter().max().map_or(0, |most| *most);
    let bars = report.hour.iter().enumerate().map(|(n, count)| {
        let height = (f64::from(*count) / most * HOUR_HEIGHT).max(2.0);
        let now = n + 1 == report.hour.len();
        view! {
            <rect
                data-part=if now { "half" } else { "rest" }
                x=fixed((first + n) as f64 * pitch + 2.0)
                y=fixed(HOUR_HEIGHT - height)
                width=fixed(pitch - 4.0)
                height=fixed(height)
                rx="2"
            />
        }
    });
    view! {
        <svg viewBox="0 0 800 96" role="img" aria-label=format!("0–{label}")>
            {bars.collect_view()}
        </svg>
        <p class="ticks">
            <span>{texts.an_hour_ago}</span>
            <span>{texts.at_this_moment}</span>
        </p>
    }
}

/// One digit behind the point is enough for a drawing.
fn fixed(number: f64) -> String {
    format!("{number:.1}")
}

fn decimal(number: f64, digits: usize, texts: &Texts) -> String {
    format!("{number:.digits$}").replace('.', texts.decimal_point)
}

/// The two largest units: `12 d 4 h`.
fn lasting(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {} min", minutes % 60),
        (days, hours, _) => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::{BARS, PulseReport, WIDTH, WORD, lasting, rendered, rows};
    use crate::text::Lang;

    #[test]
    fn nothing_is_a_dash_and_not_zero() {
        let report = PulseReport { bars: vec![0; BARS], hour: vec![0], ..PulseReport::default() };
        let html = rendered(&report, Lang::En);
        assert_eq!(html.matches("<b>–</b>").count(), 3, "{html}");
        assert!(!html.contains("0 ms</b>") && html.contains("Nobody has swiped yet"));
    }

    #[test]
    fn no_line_goes_through_a_word() {
        for x in (0..800).step_by(7).map(f64::from) {
            for y in (0..800).step_by(7).map(f64::from).filter(|y| *y >= x) {
                let span = |at: f64, before: bool| {
                    if before { (at - WORD, at) } else { (at, at + WORD) }
                };
                let [(row_x, before_x), (row_y, before_y)] = rows(x, y);
                assert_ne!(row_x, row_y, "{x} {y}");
                // The line of the outer row (0) passes the inner one (1).
                let (outer, inner) =
                    if row_x == 0 { (x, span(y, before_y)) } else { (y, span(x, before_x)) };
                assert!(!(inner.0 < outer && outer < inner.1), "{x} {y}: {outer} in {inner:?}");
                for (at, before) in [(x, before_x), (y, before_y)] {
                    let (from, to) = span(at, before);
                    assert!(from >= -WORD / 2.0 && to <= WIDTH + 1.0, "{x} {y}: {from} to {to}");
                }
            }
        }
    }

    #[test]
    fn numbers_read_as_the_language_writes_them() {
        let report = PulseReport {
            swipe_p50_ms: Some(72),
            swipe_p95_ms: Some(118),
            cold_ms: Some(412),
            rooms: 9,
            watching: 46,
            bars: vec![1; BARS],
            bar_ms: 5,
            ..PulseReport::default()
        };
        let html = rendered(&report, Lang::Es);
        let parts = [
            "<b>72</b>",
            "<b>0,41</b>",
            "en 9 canales",
            "objetivo 130\u{A0}ms",
            "p95 · 118\u{A0}ms",
            "<span>400\u{A0}ms</span>",
        ];
        for part in parts {
            assert!(html.contains(part), "{part} is missing: {html}");
        }
        assert_eq!(html.matches("data-part=\"half\"").count(), 15);
        let slow = PulseReport {
            swipe_p50_ms: Some(948),
            swipe_p95_ms: Some(12_155),
            bars: vec![1; BARS],
            bar_ms: 250,
            ..PulseReport::default()
        };
        let html = rendered(&slow, Lang::En);
        for part in ["<b>948</b>", "<b>12.2</b>", "p95 · 12.2\u{A0}s", "<span>20.0\u{A0}s</span>"]
        {
            assert!(html.contains(part), "{part} is missing: {html}");
        }
        assert!(!html.contains("12155"));
        assert_eq!(lasting(59), "59 s");
        assert_eq!(lasting(12 * 86_400 + 4 * 3_600 + 59), "12 d 4 h");
    }
}
