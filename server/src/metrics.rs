//! What is counted, and how Prometheus reads it. Sums only: every label comes from a closed set, no
//! channel, name or address is ever one.

mod process;

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use prometheus::{
    Counter, CounterVec, Encoder, Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec,
    IntGauge, IntGaugeVec, Opts, Registry, TextEncoder, core::Collector,
};

/// Heights that a rendition is counted under; the rest is `other`.
pub const HEIGHTS: [&str; 8] = ["240", "360", "480", "540", "720", "1080", "1440", "2160"];
/// What a rendition of another height is counted under.
pub const OTHER: &str = "other";
/// Why a reel could not be played.
pub const CAUSES: [&str; 3] = ["network", "media", "unsupported"];
/// The type of [`Metrics::text`].
pub const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper ends of the buckets in seconds: one display frame first, fine around the targets.
const SECONDS: [f64; 20] = [
    0.016, 0.033, 0.05, 0.066, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5,
    2.0, 3.0, 4.0, 5.0,
];

/// What others count for themselves, as it is now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Channels of the list.
    pub channels: u32,
    /// Open sockets.
    pub sockets: u32,
    /// Reels that somebody watches.
    pub rooms: u32,
    /// Messages said since the start.
    pub messages: u64,
    /// Feelings since the start.
    pub reactions: u64,
}

/// Everything that is counted; a cheap clone. It belongs to one server, not to the process.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    began: Instant,
    swipes: Histogram,
    cold: Histogram,
    stalls: IntCounter,
    levels: CounterVec,
    errors: IntCounterVec,
    channels: IntGauge,
    sockets: IntGauge,
    messages: IntCounter,
    reactions: IntCounter,
    bytes: IntCounter,
    requests: IntCounterVec,
    resident: IntGauge,
    cpu: Counter,
}

impl Metrics {
    /// Counts from zero.
    ///
    /// # Errors
    /// A name or a help text of ours is not of Prometheus' form.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let counter = |name, help| added(&registry, IntCounter::new(name, help)?);
        let gauge = |name, help| added(&registry, IntGauge::new(name, help)?);
        let seconds = |name: &str, help: &str| {
            let options = HistogramOpts::new(name, help).buckets(SECONDS.to_vec());
            added(&registry, Histogram::with_opts(options)?)
        };
        let inner = Inner {
            swipes: seconds(
                "carrete_swipe_seconds",
                "From the finger's lift to a moving picture, as pages report it.",
            )?,
            cold: seconds(
                "carrete_cold_open_seconds",
                "From opening a page to a moving picture, as pages report it.",
            )?,
            stalls: counter("carrete_stalls_total", "Times that a picture stood still.")?,
            levels: added(
                &registry,
                CounterVec::new(
                    Opts::new("carrete_level_seconds_total", "Seconds shown, by height."),
                    &["height"],
                )?,
            )?,
            errors: added(
                &registry,
                IntCounterVec::new(
                    Opts::new("carrete_playback_errors_total", "Reels that could not be played."),
                    &["cause"],
                )?,
            )?,
            channels: gauge("carrete_channels", "Channels of the list.")?,
            sockets: gauge("carrete_sockets", "Open sockets.")?,
            messages: counter("carrete_chat_messages_total", "Chat messages said.")?,
            reactions: counter("carrete_reactions_total", "Reactions, likes taken back included.")?,
            bytes: counter("carrete_bytes_served_total", "Bytes of streams sent.")?,
            requests: added(
                &registry,
                IntCounterVec::new(
                    Opts::new("carrete_http_requests_total", "Requests answered."),
                    &["route", "status"],
                )?,
            )?,
            resident: gauge("process_resident_memory_bytes", "Resident memory size in bytes.")?,
            cpu: added(
                &registry,
                Counter::new(
                    "process_cpu_seconds_total",
                    "Total user and system CPU time spent in seconds.",
                )?,
            )?,
            began: Instant::now(),
            registry: registry.clone(),
        };
        for height in HEIGHTS.into_iter().chain([OTHER]) {
            inner.levels.with_label_values(&[height]);
        }
        for cause in CAUSES {
            inner.errors.with_label_values(&[cause]);
        }
        let start = added(
            &registry,
            Gauge::new(
                "process_start_time_seconds",
                "Start time of the process since unix epoch in seconds.",
            )?,
        )?;
        start.set(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64());
        let build = IntGaugeVec::new(
            Opts::new("carrete_build_info", "Always 1; the label is the version."),
            &["version"],
        )?;
        added(&registry, build)?.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        Ok(Self(Arc::new(inner)))
    }

    /// A swipe took so long.
    pub fn swiped(&self, time: Duration) {
        self.0.swipes.observe(time.as_secs_f64());
    }

    /// A page took so long from its opening.
    pub fn opened_cold(&self, time: Duration) {
        self.0.cold.observe(time.as_secs_f64());
    }

    /// Pictures stood still so many times.
    pub fn stalled(&self, times: u32) {
        self.0.stalls.inc_by(times.into());
    }

    /// A rendition was shown; a height that is none of [`HEIGHTS`] counts as [`OTHER`].
    pub fn shown(&self, height: &str, time: Duration) {
        let known = HEIGHTS.into_iter().find(|known| *known == height).unwrap_or(OTHER);
        self.0.levels.with_label_values(&[known]).inc_by(time.as_secs_f64());
    }

    /// So many reels could not be played; a cause that is none of [`CAUSES`] is not counted.
    pub fn failed(&self, cause: &str, times: u32) {
        if let Some(known) = CAUSES.into_iter().find(|known| *known == cause) {
            self.0.errors.with_label_values(&[known]).inc_by(times.into());
        }
    }

    /// A request was answered. `route` is the pattern of the address, never the address.
    pub fn answered(&self, route: &str, status: http::StatusCode) {
        self.0.requests.with_label_values(&[route, status.as_str()]).inc();
    }

    /// Bytes of a stream that are on their way.
    pub fn served(&self, bytes: usize) {
        self.0.bytes.inc_by(bytes as u64);
    }

    /// How long this has been counted.
    pub fn uptime(&self) -> Duration {
        self.0.began.elapsed()
    }

    /// Bytes of memory that this process holds.
    pub fn memory(&self) -> u64 {
        process::resident_bytes().unwrap_or_default()
    }

    /// Everything in Prometheus' text format, 0.0.4.
    ///
    /// # Errors
    /// A family is not of Prometheus' form.
    pub fn text(&self, now: Now) -> Result<Vec<u8>, prometheus::Error> {
        let inner = &*self.0;
        inner.channels.set(now.channels.into());
        inner.sockets.set(now.sockets.into());
        inner.resident.set(i64::try_from(self.memory()).unwrap_or(i64::MAX));
        raise(&inner.messages, now.messages);
        raise(&inner.reactions, now.reactions);
        let cpu = process::cpu_seconds().unwrap_or_default() - inner.cpu.get();
        inner.cpu.inc_by(cpu.max(0.0));
        let mut text = Vec::new();
        TextEncoder::new().encode(&inner.registry.gather(), &mut text)?;
        Ok(text)
    }
}

fn added<C: Collector + Clone + 'static>(
    registry: &Registry,
    collector: C,
) -> Result<C, prometheus::Error> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

/// Two readers at once may both see the same difference: what is over is made up at the next.
fn raise(counter: &IntCounter, to: u64) {
    counter.inc_by(to.saturating_sub(counter.get()));
}
