//! How far a conversion is, read from ffmpeg's `-progress`.

use std::time::Duration;

/// How far a conversion is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Of the whole, 0 to 100; `None` where the file does not say how long it is.
    pub percent: Option<f64>,
    /// Seconds of the file in a second.
    pub speed: Option<f64>,
    /// What is left.
    pub eta: Option<Duration>,
}

/// Gathers ffmpeg's lines; a block of them ends with `progress=`.
#[derive(Debug, Default)]
pub(super) struct Lines {
    out_s: f64,
    speed: Option<f64>,
}

impl Lines {
    /// Reads one `key=value`; tells the progress at the end of a block.
    pub(super) fn read(&mut self, line: &str, duration_s: Option<f64>) -> Option<Progress> {
        let (key, value) = line.split_once('=')?;
        let value = value.trim();
        match key.trim() {
            // Microseconds both: `out_time_ms` is a misnomer that ffmpeg keeps.
            "out_time_us" | "out_time_ms" => {
                let micros: f64 = value.parse().ok()?;
                self.out_s = self.out_s.max(micros / 1_000_000.0);
                None
            }
            "speed" => {
                let speed = value.trim_end_matches('x').parse().ok();
                self.speed = speed.filter(|speed: &f64| speed.is_finite() && *speed > 0.0);
                None
            }
            "progress" => Some(self.progress(duration_s)),
            _ => None,
        }
    }

    fn progress(&self, duration_s: Option<f64>) -> Progress {
        let percent = duration_s.map(|whole| (self.out_s / whole * 100.0).clamp(0.0, 100.0));
        let eta = duration_s.zip(self.speed).and_then(|(whole, speed)| {
            Duration::try_from_secs_f64(((whole - self.out_s) / speed).max(0.0)).ok()
        });
        Progress { percent, speed: self.speed, eta }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Lines, Progress};

    #[test]
    fn a_block_of_lines_is_one_progress() {
        let mut lines = Lines::default();
        let mut read = |text: &str| {
            text.lines().filter_map(|line| lines.read(line, Some(20.0))).collect::<Vec<_>>()
        };
        assert_eq!(
            read("frame=10\nout_time_us=5000000\nspeed=2.5x\nprogress=continue\n"),
            [Progress { percent: Some(25.0), speed: Some(2.5), eta: Some(Duration::from_secs(6)) }]
        );
        let told = read("out_time_us=N/A\nspeed=N/A\nnonsense\nprogress=end\n");
        assert_eq!(told, [Progress { percent: Some(25.0), speed: None, eta: None }]);
    }
}
