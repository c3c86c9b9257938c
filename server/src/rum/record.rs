//! What the operator's page is made from: the last swipes and openings, and who watched in the last
//! hour.

use std::{collections::VecDeque, time::Duration};

use app::pulse::{BAR_WIDTHS_MS, BARS, PulseReport};

use super::report::Report;

/// Swipes that the page speaks of.
const SWIPES: usize = 2_000;
/// Openings that the median is of.
const OPENINGS: usize = 200;
/// Minutes before this one.
const MINUTES: usize = 59;

/// The last of everything.
#[derive(Debug, Default)]
pub(super) struct Record {
    swipes_ms: VecDeque<u32>,
    cold_ms: VecDeque<u32>,
    minutes: VecDeque<u32>,
}

impl Record {
    pub(super) fn take(&mut self, report: &Report) {
        for swipe in &report.swipes {
            push(&mut self.swipes_ms, SWIPES, milliseconds(*swipe));
        }
        if let Some(cold) = report.cold {
            push(&mut self.cold_ms, OPENINGS, milliseconds(cold));
        }
    }

    /// A minute is over, with so many watching.
    pub(super) fn minute(&mut self, watching: u32) {
        push(&mut self.minutes, MINUTES, watching);
    }

    /// The report, as far as it is made from this.
    pub(super) fn report(&self, watching: u32) -> PulseReport {
        let mut swipes: Vec<u32> = self.swipes_ms.iter().copied().collect();
        swipes.sort_unstable();
        let mut cold: Vec<u32> = self.cold_ms.iter().copied().collect();
        cold.sort_unstable();
        let bar_ms = bar_ms(percentile(&swipes, 95).unwrap_or(0));
        let mut bars = vec![0; BARS];
        for swipe in &swipes {
            let bar = usize::try_from(swipe / bar_ms).unwrap_or(usize::MAX).min(BARS - 1);
            bars[bar] += 1;
        }
        PulseReport {
            swipe_p50_ms: percentile(&swipes, 50),
            swipe_p95_ms: percentile(&swipes, 95),
            cold_ms: percentile(&cold, 50),
            bars,
            bar_ms,
            hour: self.minutes.iter().copied().chain([watching]).collect(),
            ..PulseReport::default()
        }
    }
}

/// How wide a bar is, in milliseconds, so that what lies at `ms` is well inside the last of them.
fn bar_ms(ms: u32) -> u32 {
    let [.., widest] = BAR_WIDTHS_MS;
    let fits = |width: &u32| u64::from(ms) * 10 <= u64::from(*width) * BARS as u64 * 9;
    BAR_WIDTHS_MS.into_iter().find(fits).unwrap_or(widest)
}

fn push(ring: &mut VecDeque<u32>, most: usize, value: u32) {
    if ring.len() == most {
        ring.pop_front();
    }
    ring.push_back(value);
}

fn milliseconds(time: Duration) -> u32 {
    let rounded = time + Duration::from_micros(500);
    u32::try_from(rounded.as_millis()).unwrap_or(u32::MAX)
}

/// The least value that so many per cent do not exceed; `None` of nothing.
fn percentile(sorted: &[u32], per_cent: usize) -> Option<u32> {
    let rank = (sorted.len() * per_cent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use app::pulse::BARS;

    use super::{MINUTES, Record, Report, SWIPES, bar_ms, percentile};

    fn of(swipes_ms: impl Iterator<Item = u64>) -> Report {
        Report { swipes: swipes_ms.map(Duration::from_millis).collect(), ..Report::default() }
    }

    #[test]
    fn percentiles_are_of_what_there_is() {
        assert_eq!(percentile(&[], 50), None);
        assert_eq!((percentile(&[7], 50), percentile(&[7], 95)), (Some(7), Some(7)));
        let hundred: Vec<u32> = (1..=100).collect();
        assert_eq!((percentile(&hundred, 50), percentile(&hundred, 95)), (Some(50), Some(95)));
    }

    #[test]
    fn the_scale_fits_nineteen_of_twenty() {
        for (p95, width) in
            [(0, 5), (118, 5), (360, 5), (361, 10), (1_500, 25), (12_155, 250), (u32::MAX, 1_000)]
        {
            assert_eq!(bar_ms(p95), width, "{p95}");
        }
        let mut record = Record::default();
        record.take(&of((0..20).map(|n| 100 + n * 600)));
        let report = record.report(0);
        assert!(report.bars[..BARS - 1].iter().sum::<u32>() >= 19, "{report:?}");
    }

    #[test]
    fn only_the_last_count() {
        let mut record = Record::default();
        assert_eq!(record.report(0).swipe_p50_ms, None);
        record.take(&of((0..3_000).map(|_| 900)));
        record.take(&of((0..SWIPES as u64).map(|_| 72)));
        for n in 0..100 {
            record.minute(n);
        }
        let report = record.report(7);
        assert_eq!((report.swipe_p50_ms, report.swipe_p95_ms), (Some(72), Some(72)));
        assert_eq!(report.bars[14], 2_000);
        assert_eq!((report.hour.len(), report.hour.last()), (MINUTES + 1, Some(&7)));
        record.take(&of([5_000].into_iter()));
        assert_eq!((record.report(0).bar_ms, record.report(0).bars.last()), (5, Some(&1)));
    }
}
