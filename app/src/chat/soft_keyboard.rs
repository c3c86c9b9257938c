//! The soft keyboard of a phone: how much of the page it covers, told to the stylesheet, so that the
//! box in which one writes sits on it and the picture keeps what is left.

use leptos::prelude::*;
use web_sys::{HtmlElement, VisualViewport};

use crate::{
    dom::Listener,
    part::{Part, keep},
};

/// Less than this is no keyboard: heights are rounded.
const LEAST_PX: f64 = 8.0;

/// Where the visual viewport (CSSOM View) lies in the layout viewport, in CSS pixels from its top
/// and from its bottom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Covered {
    /// What the browser has pushed out at the top to show what has the focus.
    above: i32,
    /// What the keyboard covers.
    below: i32,
}

impl Covered {
    /// Of a page `inner` high, `height` is seen from `top` on, `scale` times as large as it is laid
    /// out. Fingers that pinch make what is seen smaller too, by just that scale, and may take it
    /// anywhere: that is no keyboard.
    fn of(inner: f64, height: f64, top: f64, scale: f64) -> Self {
        let top = if scale > 1.0 { 0.0 } else { top.max(0.0) };
        let below = inner - height * scale.max(1.0) - top;
        Self { above: top as i32, below: if below < LEAST_PX { 0 } else { below as i32 } }
    }
}

/// The room follows the keyboard. A browser that has no visual viewport lays the page out anew.
pub(super) fn follow(room: &Part) {
    let Some(viewport) = window().visual_viewport() else { return };
    for event in ["resize", "scroll"] {
        let (seen, style) = (viewport.clone(), room.of::<HtmlElement>().style());
        keep(Listener::new(&viewport, event, move |_| {
            let Covered { above, below } = covered(&seen);
            for (name, px) in [("--pan", above), ("--keyboard", below)] {
                // Fails only for a name that no property can have.
                let _ = style.set_property(name, &format!("{px}px"));
            }
        }));
    }
}

fn covered(viewport: &VisualViewport) -> Covered {
    let inner = window().inner_height().ok().and_then(|height| height.as_f64());
    let Some(inner) = inner else { return Covered::default() };
    Covered::of(inner, viewport.height(), viewport.offset_top(), viewport.scale())
}

#[cfg(test)]
mod tests {
    use super::Covered;

    #[test]
    fn a_keyboard_is_told_from_pinching_and_from_rounding() {
        for (inner, height, top, scale, above, below) in [
            (844.0, 844.0, 0.0, 1.0, 0, 0),
            (844.0, 514.0, 0.0, 1.0, 0, 330),
            // The browser has pushed the page up instead, or half of it.
            (844.0, 514.0, 330.0, 1.0, 330, 0),
            (844.0, 514.0, 130.0, 1.0, 130, 200),
            // Pinched twice as large, wherever it is looked at.
            (844.0, 422.0, 0.0, 2.0, 0, 0),
            (844.0, 422.0, 422.0, 2.0, 0, 0),
            (844.0, 338.0, 120.0, 2.5, 0, 0),
            // With a keyboard over it.
            (844.0, 257.0, 90.0, 2.0, 0, 330),
            // Heights that are no whole numbers, and a bounce beyond the top.
            (749.6, 749.0, 0.0, 1.0, 0, 0),
            (844.0, 844.0, -12.0, 1.0, 0, 0),
        ] {
            let seen = format!("{height} of {inner} from {top} at {scale}");
            assert_eq!(Covered::of(inner, height, top, scale), Covered { above, below }, "{seen}");
        }
    }
}
