//! How an hls.js instance is configured, for the page and for what plays before it: the library, its
//! worker, how much is buffered.

use js_sys::Object;
use leptos::prelude::window;

use super::super::playlist_prefetch;
use crate::dom::set;

/// Where the vendored library lies; the folder carries its version.
const LIGHT: &str = "/vendor/hls/hls.light.min.mjs";
/// With alternate audio and in-manifest subtitles, for playlists that need them.
const FULL: &str = "/vendor/hls/hls.min.mjs";
/// Transmuxes MPEG-TS off the main thread; one worker is shared by all instances.
pub(crate) const WORKER: &str = "/vendor/hls/hls.worker.js";
/// Where the bandwidth estimate is kept from page to page, in bits a second.
pub(crate) const ESTIMATE_KEY: &str = "carrete.bandwidth";
/// Seconds ahead that a reel which is played holds.
pub(crate) const AHEAD_S: f64 = 12.0;
/// Seconds ahead while the neighbour is not loaded yet: the network is shared, and carries both.
pub(crate) const AHEAD_FIRST_S: f64 = 2.0;
/// The same on a network that may not carry both: more than a neighbour waits for.
pub(crate) const AHEAD_SLOW_S: f64 = 6.0;
/// Seconds ahead that a reel which only waits for its turn holds.
pub(crate) const AHEAD_SPARE_S: f64 = 1.0;
/// Seconds behind the playhead.
const BEHIND_S: f64 = 4.0;
/// A reel this short is kept whole, so that it loops without a request.
const KEPT_WHOLE_S: f64 = 40.0;
/// Bytes that one element may buffer.
const BUFFER_BYTES: f64 = 16e6;
/// First guess of the bandwidth in bits a second, before anything was measured.
const FIRST_ESTIMATE: f64 = 2e6;

/// How a binding is to behave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoadOptions {
    /// Seconds ahead.
    pub(crate) ahead_s: f64,
    /// Where to begin, in seconds; `None` is the playlist's own beginning or live edge.
    pub(crate) from_s: Option<f64>,
    /// Length of the reel in seconds, where known.
    pub(crate) duration_s: Option<f64>,
}

/// Where the library lies: the light build, or the one that knows sound and subtitles in playlists
/// of their own.
pub(crate) fn address(full: bool) -> &'static str {
    if full { FULL } else { LIGHT }
}

/// A setting of hls.js and its value.
type Setting<T> = (&'static str, T);

/// The configuration of an instance, as far as it needs no browser; see `HlsConfig` of hls.js.
pub(crate) fn settings(options: LoadOptions) -> ([Setting<f64>; 6], [Setting<bool>; 5]) {
    let behind = match options.duration_s {
        Some(duration) if duration <= KEPT_WHOLE_S => KEPT_WHOLE_S,
        _ => BEHIND_S,
    };
    let numbers = [
        ("maxBufferLength", options.ahead_s),
        ("maxMaxBufferLength", AHEAD_S),
        ("backBufferLength", behind),
        ("maxBufferSize", BUFFER_BYTES),
        ("abrEwmaDefaultEstimate", FIRST_ESTIMATE),
        ("startPosition", options.from_s.unwrap_or(-1.0)),
    ];
    let flags = [
        // The first segment is asked for without waiting for the element's source to open.
        ("startFragPrefetch", true),
        ("testBandwidth", false),
        ("capLevelToPlayerSize", true),
        ("enableWorker", true),
        ("progressive", true),
    ];
    (numbers, flags)
}

/// The whole configuration of an instance of the page.
pub(super) fn config(options: LoadOptions) -> Object {
    let estimate = window()
        .session_storage()
        .ok()
        .flatten()
        .and_then(|storage| storage.get_item(ESTIMATE_KEY).ok().flatten())
        .and_then(|text| text.parse::<u32>().ok());
    let config = Object::new();
    let (numbers, flags) = settings(options);
    for (key, number) in numbers {
        set(&config, key, number);
    }
    for (key, flag) in flags {
        set(&config, key, flag);
    }
    if let Some(estimate) = estimate {
        set(&config, "abrEwmaDefaultEstimate", estimate);
    }
    set(&config, "workerPath", WORKER);
    playlist_prefetch::set_up(&config);
    config
}
