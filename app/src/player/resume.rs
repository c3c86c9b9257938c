//! Where one left: long reels go on where they were left, today and at the next visit.

use std::cell::RefCell;

use crate::{
    catalog::Media,
    dom::{recall, remember},
};

/// Shorter reels begin at their beginning, in seconds.
const LONG_S: f64 = 60.0;
/// So near to its beginning or its end nothing is worth going on.
const EDGE_S: f64 = 8.0;
/// ResumePositions kept.
const MOST: usize = 200;
/// Ids and seconds, a pair a line. Ids hold no tabs and no line ends.
pub(super) const KEY: &str = "carrete.places";

/// The places of this browser, oldest first.
pub(crate) struct ResumePositions(RefCell<Vec<(String, u32)>>);

impl ResumePositions {
    /// What this browser remembers.
    pub(crate) fn recall() -> Self {
        let kept = recall(KEY).unwrap_or_default();
        Self(RefCell::new(kept.lines().filter_map(read).collect()))
    }

    /// Where to go on, in seconds.
    pub(crate) fn of(&self, media: &Media) -> Option<f64> {
        let all = self.0.borrow();
        let (_, seconds) = all.iter().find(|(id, _)| id == media.id.as_str())?;
        // The reel may be another one by now.
        let fits = media.duration_s.is_some_and(|all| f64::from(*seconds) < all - EDGE_S);
        (fits && !media.live).then(|| f64::from(*seconds))
    }

    /// A reel is left at this second.
    pub(crate) fn left(&self, media: &Media, at_s: f64) {
        let Some(duration_s) = media.duration_s.filter(|all| *all >= LONG_S && !media.live) else {
            return;
        };
        let mut all = self.0.borrow_mut();
        all.retain(|(id, _)| id != media.id.as_str());
        if at_s > EDGE_S && at_s < duration_s - EDGE_S {
            all.push((media.id.to_string(), at_s as u32));
        }
        if all.len() > MOST {
            all.remove(0);
        }
        let lines: Vec<_> = all.iter().map(|(id, seconds)| format!("{id}\t{seconds}")).collect();
        remember(KEY, &lines.join("\n"));
    }
}

/// The second from which on a long reel begins anew; `None` for one that always does.
pub(super) fn resumes_before(media: &Media) -> Option<f64> {
    media.duration_s.filter(|all| *all >= LONG_S && !media.live).map(|all| all - EDGE_S)
}

fn read(line: &str) -> Option<(String, u32)> {
    let (id, seconds) = line.split_once('\t')?;
    Some((id.to_owned(), seconds.parse().ok()?))
}
