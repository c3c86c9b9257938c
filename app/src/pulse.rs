//! The operator's page: how fast it feels, who watches, how the house is. Sums only. The server
//! renders it whole; of the page's program it costs an element.

use std::rc::Rc;

use leptos::{prelude::*, task::spawn_local};

use crate::{
    dom::{Timer, fetched},
    icon::Logo,
    part::Part,
    start::Rendered,
    text::{Lang, Texts},
    value::Held,
};

/// Milliseconds of one bar of [`PulseReport::bars`].
pub const BAR_MS: u32 = 5;
/// Bars of [`PulseReport::bars`]; the last also holds what is longer.
pub const BARS: usize = 80;

/// From finger to picture, half of the time, in milliseconds.
const TARGET_P50_MS: u32 = 80;
/// And nineteen times of twenty.
const TARGET_P95_MS: u32 = 130;

/// Seconds between two looks of an open page.
const REFRESH_S: &str = "2";

/// What the page shows. Nothing in it says which reel, who or where from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PulseReport {
    /// Finger to picture, the median of the last 2,000 swipes; `None` without any.
    pub swipe_p50_ms: Option<u32>,
    /// The 95th of a hundred.
    pub swipe_p95_ms: Option<u32>,
    /// Opening to picture, the median.
    pub cold_ms: Option<u32>,
    /// The last swipes by time, [`BARS`] bars of [`BAR_MS`] each.
    pub bars: Vec<u32>,
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

/// The page around what the server rendered. `data-refresh` says how often to look again.
#[component]
pub(crate) fn PulsePage(
    /// The server's HTML; empty in the browser, where it stands already.
    shown: Rendered,
) -> impl IntoView {
    view! { <main class="pulse" data-refresh=REFRESH_S inner_html=shown.0></main> }
}

/// Looks again and again while somebody looks at the page.
pub(crate) fn take_over(page: Part) {
    let refresh_s = page.get("data-refresh").and_then(|text| text.parse().ok()).unwrap_or(2);
    let timer = Held::new();
    timer.set(Rc::new(Timer::every(refresh_s * 1000, move || {
        if document().hidden() {
            return;
        }
        let page = page.clone();
        spawn_local(async move {
            if let Some(now) = fetched("/pulse").await.and_then(|now| now.seek("main.pulse")) {
                page.element().set_inner_html(&now.element().inner_html());
            }
        });
    })));
}

/// The HTML inside the page's `main`: the server's side.
pub(crate) fn rendered(report: &PulseReport, lang: Lang) -> String {
    let texts = lang.texts();
    let target = |ms: u32| format!(" · {} {ms}", texts.target);
    let rooms = match report.rooms {
        1 => texts.in_one_channel.to_owned(),
        rooms => texts.in_channels.replace("{}", &rooms.to_string()),
    };
    let ms = |ms: Option<u32>| ms.map(|ms| (ms.to_string(), "ms"));
    let cold = report.cold_ms.map(|ms| (decimal(f64::from(ms) / 1_000.0, 2, texts), "s"));
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

/// The width and height of both charts, in their own units.
const WIDTH: f64 = 800.0;
const SWIPES_HEIGHT: f64 = 240.0;
const HOUR_HEIGHT: f64 = 96.0;

/// The swipes as a mirrored histogram: lamp up to the median, half to p95, dim behind.
fn swipes(report: &PulseReport, texts: &'static Texts) -> impl IntoView {
    let most = f64::from(report.bars.iter().copied().max().unwrap_or(0).max(1));
    let pitch = WIDTH / BARS as f64;
    let below =
        |percentile: Option<u32>, n: usize| percentile.is_some_and(|ms| (n as u32) * BAR_MS <= ms);
    let bars = report.bars.iter().enumerate().map(|(n, count)| {
        let height = (f64::from(*count) / most * (SWIPES_HEIGHT - 40.0)).max(3.0);
        let part = match () {
            () if below(report.swipe_p50_ms, n) => "half",
            () if below(report.swipe_p95_ms, n) => "most",
            () => "rest",
        };
        let y = 20.0 + (SWIPES_HEIGHT - height) / 2.0;
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
    let mark = |ms: u32, word: String, target: Option<&'static str>, row: f64| {
        let x =
            (f64::from(ms.min(BAR_MS * BARS as u32)) / f64::from(BAR_MS) * pitch).min(WIDTH - 2.0);
        // Near the right end there is no room for a word behind the line.
        let (anchor, at) = if x > WIDTH * 0.7 { ("end", x - 8.0) } else { ("start", x + 8.0) };
        let line = view! { <line data-target=target x1=fixed(x) x2=fixed(x) y1="4" y2=fixed(SWIPES_HEIGHT + 20.0) /> };
        let word = view! {
            <text data-target=target x=fixed(at) y=fixed(row) text-anchor=anchor>
                {word}
            </text>
        };
        (line, word)
    };
    let told = [("p50", report.swipe_p50_ms), ("p95", report.swipe_p95_ms)];
    let told = told.into_iter().zip([16.0, 36.0]).filter_map(|((name, ms), row)| {
        ms.map(|ms| mark(ms, format!("{name} · {ms} ms"), None, row))
    });
    let targets = [("p50", TARGET_P50_MS, 232.0), ("p95", TARGET_P95_MS, 252.0)];
    let targets = targets.into_iter().map(|(name, ms, row)| {
        mark(ms, format!("{} {name} · {ms} ms", texts.target), Some(""), row)
    });
    // No line goes through a word.
    let (lines, words): (Vec<_>, Vec<_>) = targets.chain(told).unzip();
    let label = match (report.swipe_p50_ms, report.swipe_p95_ms) {
        (Some(p50), Some(p95)) => format!("p50 {p50} ms, p95 {p95} ms"),
        _ => texts.no_swipes_yet.to_owned(),
    };
    let ticks = (0..=4).map(|n| {
        let unit = if n == 4 { " ms" } else { "" };
        view! { <span>{format!("{}{unit}", n * 100)}</span> }
    });
    view! {
        <svg viewBox="0 0 800 264" role="img" aria-label=label>
            {bars.collect_view()}
            {lines}
            {words}
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
    use super::{BARS, PulseReport, lasting, rendered};
    use crate::text::Lang;

    #[test]
    fn nothing_is_a_dash_and_not_zero() {
        let report = PulseReport { bars: vec![0; BARS], hour: vec![0], ..PulseReport::default() };
        let html = rendered(&report, Lang::En);
        assert_eq!(html.matches("<b>–</b>").count(), 3, "{html}");
        assert!(!html.contains("0 ms</b>") && html.contains("Nobody has swiped yet"));
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
            ..PulseReport::default()
        };
        let html = rendered(&report, Lang::Es);
        for part in ["<b>72</b>", "<b>0,41</b>", "en 9 canales", "objetivo 130", "p95 · 118 ms"] {
            assert!(html.contains(part), "{part} is missing: {html}");
        }
        assert_eq!(html.matches("data-part=\"half\"").count(), 15);
        assert_eq!(lasting(59), "59 s");
        assert_eq!(lasting(12 * 86_400 + 4 * 3_600 + 59), "12 d 4 h");
    }
}
