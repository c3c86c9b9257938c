//! The sound track of music: its loudness runs past a fixed slit, what was heard on the left of it.

use std::fmt::Write;

use leptos::{prelude::*, task::spawn_local};
use web_sys::HtmlElement;

use super::Player;
use crate::{
    dom::{fetched_text, get},
    part::{Part, effect, parts},
    reels::feed::Feed,
    value::Value,
    wire::FromJs,
};

parts! {
    mod parts in "main" {
        SOUND_TRACK: ".sound-track",
    }
    mod wave in ".sound-track" {
        PATH: "path",
    }
}

/// CSS pixels of a second.
const PX_A_SECOND: f64 = 16.0;
/// Half of the track's height, in its own units.
const HALF: i32 = 56;
/// Peaks are bytes with a sign.
const PEAK_MAX: i32 = 128;

/// The track; the same path twice, left and right of the slit.
#[component]
pub(crate) fn SoundTrack() -> impl IntoView {
    let side = |class: &'static str| {
        view! {
            <div class=class>
                <svg preserveAspectRatio="none">
                    <path fill="currentColor" />
                </svg>
            </div>
        }
    };
    view! {
        <div class="sound-track" aria-hidden="true" hidden>
            {side("heard")}
            {side("coming")}
        </div>
    }
}

/// What the server tells of a reel's loudness (audiowaveform's JSON, version 2).
struct Waveform {
    seconds_a_pixel: f64,
    peaks: Vec<i32>,
}

impl Waveform {
    fn read(text: &str) -> Option<Self> {
        let value = js_sys::JSON::parse(text).ok()?;
        let number = |name| f64::from_js(&get(&value, name));
        let data: Vec<f64> = FromJs::from_js(&get(&value, "data"))?;
        Some(Self {
            seconds_a_pixel: number("samples_per_pixel")? / number("sample_rate")?,
            peaks: data
                .chunks(2)
                .map(|pair| pair.iter().fold(0, |p, n| p.max(n.abs() as i32)))
                .collect(),
        })
    }

    fn width(&self) -> f64 {
        self.peaks.len() as f64 * self.seconds_a_pixel * PX_A_SECOND
    }

    /// There along the upper side, back along the lower one.
    fn path(&self) -> String {
        let loudest = self.peaks.iter().copied().max().unwrap_or(1).clamp(1, PEAK_MAX);
        let height = |peak: &i32| (peak * (HALF - 2) / loudest).max(1);
        let mut path = format!("M0 {HALF}");
        for (x, peak) in self.peaks.iter().enumerate() {
            let _ = write!(path, "L{x} {}", HALF - height(peak));
        }
        for (x, peak) in self.peaks.iter().enumerate().rev() {
            let _ = write!(path, "L{x} {}", HALF + height(peak));
        }
        path + "Z"
    }
}

/// The track follows the reel on screen and its playhead.
pub(super) fn waveform(room: &Part, player: Player, feed: Feed) {
    let track = room.find(parts::SOUND_TRACK);
    let drawn = Value::new(None::<(String, f64)>);
    effect({
        let track = track.clone();
        move || {
            let wanted = feed.rested_media().and_then(|media| media.waveform.clone());
            track.toggle_attr("hidden", wanted.is_none());
            let Some(address) = wanted else { return };
            if drawn.with_untracked(|drawn| drawn.as_ref().is_some_and(|(url, _)| *url == address))
            {
                return;
            }
            let track = track.clone();
            spawn_local(async move {
                let Some(text) = fetched_text(&address).await else { return };
                let Some(wave) = Waveform::read(&text) else { return };
                let path = wave.path();
                for svg in track.query_all("svg") {
                    svg.set_attr(
                        "viewBox",
                        Some(&format!("0 0 {} {}", wave.peaks.len(), 2 * HALF)),
                    );
                    svg.set_attr("style", Some(&format!("width:{}px", wave.width() as u32)));
                    svg.find(wave::PATH).set_attr("d", Some(&path));
                }
                drawn.set(Some((address, wave.width())));
            });
        }
    });
    let layers = track.query_all("svg");
    effect(move || {
        drawn.track();
        let at = (player.time_s.get() * PX_A_SECOND * 10.0) as i32;
        for layer in &layers {
            let moved = format!("translateX(calc({}px/10))", -at);
            let _ = layer.of::<HtmlElement>().style().set_property("transform", &moved);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::Waveform;

    #[test]
    fn the_path_goes_there_and_back() {
        let wave = Waveform { seconds_a_pixel: 0.125, peaks: vec![0, 64, 128] };
        assert_eq!(wave.width() as u32, 6);
        let path = wave.path();
        assert_eq!(path, "M0 56L0 55L1 29L2 2L2 110L1 83L0 57Z");
    }
}
