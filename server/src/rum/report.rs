//! One report of a page, read with suspicion: what is not of its form is passed over, what is too
//! much is cut.

use std::time::Duration;

use serde_json::Value;

/// Swipes of one report.
const SWIPES_MAX: usize = 64;
/// Levels of one report: more than there are heights.
const LEVELS_MAX: usize = 16;
/// No swipe counts as longer, in milliseconds.
const SWIPE_MAX_MS: f64 = 60_000.0;
/// No opening counts as longer, in milliseconds.
const COLD_MAX_MS: f64 = 120_000.0;
/// Seconds of one level between two reports.
const LEVEL_MAX_S: f64 = 3_600.0;
/// Stalls and errors of one report.
const TIMES_MAX: f64 = 1_000.0;

/// What a page tells of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Report {
    /// From the finger's lift to a moving picture.
    pub(super) swipes: Vec<Duration>,
    /// From the opening of the page to a moving picture.
    pub(super) cold: Option<Duration>,
    pub(super) stalls: u32,
    /// How long which height was shown; not checked whether there is such a height.
    pub(super) levels: Vec<(String, Duration)>,
    /// How often what went wrong.
    pub(super) errors: Vec<(&'static str, u32)>,
}

impl Report {
    /// `None` where it is no JSON object.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let Ok(Value::Object(members)) = serde_json::from_slice(body) else { return None };
        let list = |name: &str| members.get(name).and_then(Value::as_array);
        let object = |name: &str| members.get(name).and_then(Value::as_object);
        let swipes = list("swipes_ms").into_iter().flatten().take(SWIPES_MAX);
        let levels = object("levels").into_iter().flatten().take(LEVELS_MAX);
        let errors = object("errors");
        Some(Self {
            swipes: swipes.filter_map(|ms| milliseconds(ms, SWIPE_MAX_MS)).collect(),
            cold: members.get("cold_ms").and_then(|ms| milliseconds(ms, COLD_MAX_MS)),
            stalls: members.get("stalls").map_or(0, times),
            levels: levels
                .filter_map(|(height, time)| {
                    let seconds = within(time, LEVEL_MAX_S)?;
                    Some((height.clone(), Duration::from_secs_f64(seconds)))
                })
                .collect(),
            errors: crate::metrics::CAUSES
                .into_iter()
                .filter_map(|cause| Some((cause, times(errors?.get(cause)?))))
                .filter(|(_, times)| *times > 0)
                .collect(),
        })
    }
}

fn within(value: &Value, most: f64) -> Option<f64> {
    value.as_f64().filter(|number| *number >= 0.0).map(|number| number.min(most))
}

fn milliseconds(value: &Value, most: f64) -> Option<Duration> {
    within(value, most).map(|ms| Duration::from_secs_f64(ms / 1_000.0))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within bounds")]
fn times(value: &Value) -> u32 {
    within(value, TIMES_MAX).unwrap_or_default() as u32
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Report;

    fn read(text: &str) -> Report {
        Report::read(text.as_bytes()).unwrap_or_else(|| panic!("{text} is read"))
    }

    #[test]
    fn a_report_is_read_and_cut() {
        let report = read(
            r#"{"swipes_ms":[68,85.5],"cold_ms":410,"stalls":2,"levels":{"720":12.5},
                "errors":{"network":1,"media":0},"later":{"x":[1]}}"#,
        );
        let ms = Duration::from_micros;
        assert_eq!(report.swipes, [ms(68_000), ms(85_500)]);
        assert_eq!((report.cold, report.stalls), (Some(ms(410_000)), 2));
        assert_eq!(report.levels, [("720".to_owned(), Duration::from_millis(12_500))]);
        assert_eq!(report.errors, [("network", 1)]);

        let report = read(&format!("{{\"swipes_ms\":[{}1e300],\"stalls\":1e99}}", "5,".repeat(99)));
        assert_eq!((report.swipes.len(), report.stalls), (64, 1_000));
        assert_eq!(read(r#"{"swipes_ms":[1e300]}"#).swipes, [Duration::from_secs(60)]);
    }

    #[test]
    fn what_is_not_of_the_form_is_passed_over() {
        let report = read(
            r#"{"swipes_ms":[-1,"x",null,{}],"cold_ms":"x","stalls":-5,"levels":[1],
                "errors":{"network":"x","evil":9}}"#,
        );
        assert_eq!(report, Report::default());
        for bad in ["", "[]", "1", "{", "\u{FEFF}{}"] {
            assert_eq!(Report::read(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
