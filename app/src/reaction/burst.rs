//! What is felt, seen for a moment: it rises at the right margin, or from where a finger tapped.

use std::cell::RefCell;

use js_sys::{Array, Object};
use web_sys::{Element, HtmlElement};

use crate::{
    dom::{Timer, animate, reduced_motion, set},
    part::{Part, parts},
};

parts! {
    mod parts in "main" {
        BURSTS: ".bursts",
        BURST_TEMPLATE: ".burst-template",
    }
    mod burst in ".burst-template" {
        ICON: "use",
    }
}

/// At most so many at once.
const MOST: usize = 6;
/// How long one is seen.
const SEEN_MS: i32 = 1200;
/// How far it rises, in CSS pixels.
const RISE_PX: i32 = 140;

/// What rises now; each goes when its time is over.
pub(super) struct Bursts {
    layer: Part,
    template: Part,
    risen: RefCell<Vec<(Element, Timer)>>,
}

impl Bursts {
    pub(super) fn new(room: &Part) -> Self {
        Self {
            layer: room.find(parts::BURSTS),
            template: room.find(parts::BURST_TEMPLATE),
            risen: RefCell::default(),
        }
    }

    /// Rises at the margin.
    pub(super) fn rise(&self, kind: &str) {
        let icon = match kind {
            "like" => "liked",
            "fire" => "flame",
            other => other,
        };
        self.show(icon, None);
    }

    /// A heart where a finger tapped.
    pub(super) fn at(&self, x: f64, y: f64) {
        self.show("liked", Some((x, y)));
    }

    fn show(&self, icon: &str, at: Option<(f64, f64)>) {
        let Some(burst) = self.template.copy() else { return };
        burst.find(burst::ICON).set_attr("href", Some(&format!("/icons.svg#{icon}")));
        if let Some((x, y)) = at {
            burst.set_attr("style", Some(&format!("left:{}px;top:{}px", x as i32, y as i32)));
            burst.toggle_attr("data-at", true);
        }
        burst.toggle_attr("data-like", icon == "liked");
        let _ = self.layer.element().append_child(burst.element());
        if !reduced_motion() {
            let frame = |y: i32, scale: &str, opacity: f64| {
                let frame = Object::new();
                set(&frame, "transform", format!("translateY({y}px) scale({scale})"));
                set(&frame, "opacity", opacity);
                frame
            };
            let way = if at.is_some() { -RISE_PX / 4 } else { -RISE_PX };
            let frames = [frame(0, ".4", 0.0), frame(way / 6, "1.1", 1.0), frame(way, "1", 0.0)];
            let options = Object::new();
            set(&options, "duration", SEEN_MS);
            set(&options, "easing", "cubic-bezier(.2,0,0,1)");
            animate(burst.of::<HtmlElement>(), &Array::from_iter(frames), &options);
        }
        let element = burst.element().clone();
        let timer = Timer::once(SEEN_MS, {
            let element = element.clone();
            move || element.remove()
        });
        let mut risen = self.risen.borrow_mut();
        risen.retain(|(element, _)| element.is_connected());
        if risen.len() >= MOST {
            risen.remove(0).0.remove();
        }
        risen.push((element, timer));
    }
}
