//! What a visit is like, measured where it matters: told to the operator's pulse as sums, without a
//! name and without a channel.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::Function;
use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;

use super::Cause;
use crate::dom::{Listener, Timer, get, now_ms};

/// Where it goes (`POST`, at most 2 KiB).
const PULSE: &str = "/api/pulse";
/// How often something is told.
const EVERY_MS: i32 = 15_000;
/// Swipes told at once.
const SWIPES_MAX: usize = 64;
/// Qualities told at once.
const LEVELS_MAX: usize = 12;
/// A longer time was no swipe: the page slept.
const SWIPE_MAX_MS: f64 = 30_000.0;
/// A longer step of the playhead's clock was no playing.
const STEP_MAX_MS: f64 = 2000.0;

/// What was measured since it was told last.
#[derive(Default)]
struct Sums {
    swipes_ms: Vec<u32>,
    cold_ms: Option<u32>,
    stalls: u32,
    /// Height of the picture, and milliseconds of it.
    levels: Vec<(u32, u32)>,
    /// Network, media, unsupported.
    errors: [u32; 3],
}

/// Measures one visit.
pub(crate) struct Measure {
    sums: RefCell<Sums>,
    lifted_ms: Cell<Option<f64>>,
    opened: Cell<bool>,
    timed_ms: Cell<f64>,
    tells: RefCell<Option<(Timer, Listener)>>,
}

impl Measure {
    /// Begins with the page's own beginning.
    pub(crate) fn begin() -> Rc<Self> {
        let measure = Rc::new(Self {
            sums: RefCell::default(),
            lifted_ms: Cell::new(None),
            // Nobody waits for a page that nobody sees.
            opened: Cell::new(document().hidden()),
            timed_ms: Cell::new(0.0),
            tells: RefCell::default(),
        });
        let report = |weak: std::rc::Weak<Self>| {
            move || {
                if let Some(measure) = weak.upgrade() {
                    measure.report();
                }
            }
        };
        let timer = Timer::every(EVERY_MS, report(Rc::downgrade(&measure)));
        let at_once = report(Rc::downgrade(&measure));
        let leaving = Listener::new(&document(), "visibilitychange", move |_| at_once());
        *measure.tells.borrow_mut() = Some((timer, leaving));
        measure
    }

    /// A finger has lifted, and another reel is wanted.
    pub(crate) fn lifted(&self) {
        self.lifted_ms.set(Some(now_ms()));
    }

    /// The second different frame of the wanted reel is there.
    pub(crate) fn moves(&self) {
        let mut sums = self.sums.borrow_mut();
        if !self.opened.replace(true) {
            sums.cold_ms = Some(now_ms() as u32);
            self.lifted_ms.set(None);
        }
        if let Some(lifted) = self.lifted_ms.take() {
            let ms = now_ms() - lifted;
            if ms < SWIPE_MAX_MS && sums.swipes_ms.len() < SWIPES_MAX {
                sums.swipes_ms.push(ms as u32);
            }
        }
    }

    /// The picture moved already before anything was measured, so many milliseconds after the page
    /// began.
    pub(crate) fn has_opened(&self, moved_ms: u32) {
        if !self.opened.replace(true) {
            self.sums.borrow_mut().cold_ms = Some(moved_ms);
        }
    }

    /// The picture stands still for want of data.
    pub(crate) fn stalled(&self) {
        self.sums.borrow_mut().stalls += 1;
    }

    /// The playhead moves in a picture of this height.
    pub(crate) fn plays(&self, lines: u32) {
        let step = now_ms() - self.timed_ms.replace(now_ms());
        if lines == 0 || step > STEP_MAX_MS {
            return;
        }
        let levels = &mut self.sums.borrow_mut().levels;
        if let Some((_, ms)) = levels.iter_mut().find(|(each, _)| *each == lines) {
            *ms += step as u32;
        } else if levels.len() < LEVELS_MAX {
            levels.push((lines, step as u32));
        }
    }

    /// A reel was given up.
    pub(crate) fn failed(&self, cause: Cause) {
        // One that rests is no error.
        if let Some(errors) = self.sums.borrow_mut().errors.get_mut(cause as usize) {
            *errors += 1;
        }
    }

    fn report(&self) {
        let Some(text) = self.sums.take().to_json() else { return };
        let navigator = window().navigator();
        if let Ok(send) = get(&navigator, "sendBeacon").dyn_into::<Function>() {
            // What is not sent is lost: nobody waits for it.
            let _ = send.call2(&navigator, &PULSE.into(), &text.into());
        }
    }
}

impl Sums {
    /// The body of the pulse; nothing where nothing was measured.
    fn to_json(&self) -> Option<String> {
        let levels: Vec<_> = self
            .levels
            .iter()
            .filter(|(_, ms)| *ms >= 1000)
            .map(|(lines, ms)| format!("\"{lines}\":{}", ms / 1000))
            .collect();
        let quiet = self.swipes_ms.is_empty()
            && self.cold_ms.is_none()
            && self.stalls == 0
            && self.errors == [0; 3]
            && levels.is_empty();
        if quiet {
            return None;
        }
        let swipes: Vec<_> = self.swipes_ms.iter().map(ToString::to_string).collect();
        let cold = self.cold_ms.map_or_else(|| "null".to_owned(), |ms| ms.to_string());
        let [network, media, unsupported] = self.errors;
        Some(format!(
            "{{\"swipes_ms\":[{}],\"cold_ms\":{cold},\"stalls\":{},\"levels\":{{{}}},\"errors\":\
             {{\"network\":{network},\"media\":{media},\"unsupported\":{unsupported}}}}}",
            swipes.join(","),
            self.stalls,
            levels.join(","),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::Sums;

    #[test]
    fn nothing_measured_is_nothing_told() {
        assert_eq!(Sums::default().to_json(), None);
        assert_eq!(Sums { levels: vec![(720, 900)], ..Sums::default() }.to_json(), None);
    }

    #[test]
    fn a_full_pulse_is_json_and_fits() -> Result<(), serde_json::Error> {
        let sums = Sums {
            swipes_ms: vec![29_999; super::SWIPES_MAX],
            cold_ms: Some(860),
            stalls: 2,
            levels: (0..12).map(|n| (100 * n, 86_400_000)).collect(),
            errors: [1, 0, 3],
        };
        let text = sums.to_json().unwrap_or_default();
        assert!(text.len() <= 2048, "{} bytes", text.len());
        let value: serde_json::Value = serde_json::from_str(&text)?;
        assert_eq!(value["swipes_ms"][0], 29_999);
        assert_eq!(value["cold_ms"], 860);
        assert_eq!(value["levels"]["700"], 86_400);
        assert_eq!(value["errors"]["unsupported"], 3);
        Ok(())
    }
}
