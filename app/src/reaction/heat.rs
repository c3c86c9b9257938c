//! The film edge's holes grow with what was felt at their moment: the heat of a reel reads like an
//! optical sound track.

use web_sys::HtmlElement;

use crate::{
    part::{Part, effect, parts},
    player::Player,
    value::Value,
    websocket::Moment,
};

parts! {
    mod parts in "main" {
        HOLES: ".film-edge .holes",
    }
}

/// From hole to hole, in CSS pixels.
const PITCH: u32 = 8;
/// A hole where nothing was felt.
const BASE: u32 = 5;
/// What the hottest hole has more.
const MORE: f64 = 19.0;

/// How many were felt in each of `holes` equal parts of a reel, and which parts hold one's own.
fn counts(moments: &[(Moment, bool)], duration_s: f64, holes: u32) -> Vec<(u32, bool)> {
    let mut counts = vec![(0, false); holes as usize];
    for (moment, own) in moments {
        let share = if duration_s > 0.0 { moment.at_s / duration_s } else { 0.0 };
        let place = ((share * f64::from(holes)) as usize).min(counts.len().saturating_sub(1));
        if let Some((count, mine)) = counts.get_mut(place) {
            *count += 1;
            *mine |= own;
        }
    }
    counts
}

/// The mask of all holes, and the picture of one's own, as data addresses.
fn masks(counts: &[(u32, bool)]) -> (String, String) {
    let hottest = counts.iter().map(|(count, _)| *count).max().unwrap_or(0).max(1);
    let svg = |only_own: bool, colour: &str| {
        let mut rects = String::new();
        for (n, (count, own)) in counts.iter().enumerate() {
            if only_own && !own {
                continue;
            }
            let share = f64::from(*count) / f64::from(hottest);
            let height = BASE + (MORE * share.sqrt()) as u32;
            let (x, y) = (n as u32 * PITCH + 1, (24 - height) / 2);
            rects += &format!("<rect x='{x}' y='{y}' width='6' height='{height}' rx='1.6'/>");
        }
        let width = counts.len() as u32 * PITCH;
        format!(
            "url(\"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} 24' \
             preserveAspectRatio='none' fill='{colour}'>{rects}</svg>\")"
        )
    };
    (svg(false, "black"), svg(true, "oklch(.665 .205 33)"))
}

/// The film edge follows the moments of the reel on screen.
pub(super) fn heat(room: &Part, player: Player, moments: Value<Vec<(Moment, bool)>>) {
    let holes = room.find(parts::HOLES);
    effect(move || {
        let style = holes.of::<HtmlElement>().style();
        let width = holes.element().client_width();
        let duration_s = player.duration_s.get().unwrap_or(0.0);
        moments.with(|moments| {
            let hot = !moments.is_empty() && width > 0 && duration_s > 0.0;
            holes.toggle_attr("data-hot", hot);
            if hot {
                let (all, own) = masks(&counts(moments, duration_s, width as u32 / PITCH));
                let _ = style.set_property("--heat", &all);
                let _ = style.set_property("--own", &own);
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::{counts, masks};
    use crate::websocket::Moment;

    #[test]
    fn moments_fall_into_their_holes() {
        let at = |at_s: f64, own: bool| (Moment { kind: "like".into(), at_s }, own);
        let counts =
            counts(&[at(0.0, false), at(9.9, false), at(5.0, true), at(99.0, false)], 10.0, 4);
        assert_eq!(counts, [(1, false), (0, false), (1, true), (2, false)]);
        let (all, own) = masks(&counts);
        assert_eq!(all.matches("<rect").count(), 4);
        assert_eq!(own.matches("<rect").count(), 1);
        assert!(all.contains("height='24'"), "the hottest is full");
    }
}
