//! One entry of an M3U list: what the line before an address says of it, read as other players read
//! it. Nobody has ever said what such a line may hold, so nothing here is refused.

use crate::sources::remote::record::{TAG_MAX_CHARS, TAGS_MAX, TITLE_MAX_CHARS, bounded};

/// A longer line is not read; its address is still one. Logos stand in some of them as they are.
const LINE_MAX: usize = 256 * 1024;

/// Attributes of one entry; what follows is not looked at.
const ATTRIBUTES_MAX: usize = 64;

/// Quotes tried for the end of one value.
const QUOTES_MAX: usize = 64;

/// Words that attributes begin with where lists of television have them behind the comma, so that
/// no title that holds an equals sign is taken for one.
const KNOWN: [&str; 16] = [
    "tvg-",
    "group-",
    "radio",
    "logo",
    "catchup",
    "timeshift",
    "url-",
    "x-tvg-",
    "channel-",
    "ch-",
    "parent-",
    "audio-",
    "aspect-",
    "provider",
    "user-agent",
    "http-",
];

/// What the lines before an address say of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entry {
    pub(super) title: String,
    /// Seconds; `None` where it has no end.
    pub(super) duration_s: Option<f64>,
    pub(super) groups: Vec<String>,
    pub(super) logo: Option<String>,
    pub(super) radio: bool,
}

impl Entry {
    /// Reads what stands behind `#EXTINF:`.
    pub(super) fn of(text: &str) -> Self {
        let mut entry = Self::default();
        if text.len() > LINE_MAX {
            return entry;
        }
        let text = text.trim_start();
        let end = text.find([' ', ',', '\t']).unwrap_or(text.len());
        let seconds = text[..end].parse::<f64>().ok();
        entry.duration_s = seconds.filter(|seconds| seconds.is_finite() && *seconds > 0.0);
        // A line may begin with its first attribute.
        let mut rest = if key(text).is_some() { text } else { &text[end..] };
        let mut name = String::new();
        for _ in 0..ATTRIBUTES_MAX {
            rest = rest.trim_start();
            if let Some(behind) = rest.strip_prefix(',') {
                if key(behind.trim_start()).is_some_and(|(key, _)| is_known(key)) {
                    rest = behind;
                    continue;
                }
                entry.title = bounded(behind, TITLE_MAX_CHARS);
                break;
            }
            let Some((key, behind)) = key(rest) else {
                // What is no attribute is passed over; where nothing follows, it is the title.
                let (junk, behind) = unquoted(rest);
                if behind.is_empty() {
                    entry.title = bounded(junk, TITLE_MAX_CHARS);
                    break;
                }
                rest = behind;
                continue;
            };
            let (value, behind) = value(behind);
            match key.to_ascii_lowercase().as_str() {
                "group-title" => entry.group(value),
                "tvg-name" => name = bounded(value, TITLE_MAX_CHARS),
                "tvg-logo" | "logo" => {
                    entry.logo = Some(value.trim().to_owned()).filter(|logo| !logo.is_empty());
                }
                "radio" => entry.radio = value.eq_ignore_ascii_case("true") || value == "1",
                _ => {}
            }
            rest = behind;
        }
        if entry.title.is_empty() {
            entry.title = name;
        }
        entry
    }

    /// Puts it into these groups, semicolons between.
    pub(super) fn group(&mut self, groups: &str) {
        let groups = groups.split(';').map(|group| bounded(group, TAG_MAX_CHARS));
        self.groups = groups.filter(|group| !group.is_empty()).take(TAGS_MAX).collect();
    }
}

/// The name of an attribute that a text begins with, and what stands behind its equals sign.
fn key(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c))?;
    let behind = text[end..].trim_start().strip_prefix('=')?;
    (end > 0).then_some((&text[..end], behind.trim_start()))
}

fn is_known(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    KNOWN.iter().any(|known| key.starts_with(known))
}

/// A value and what follows it.
fn value(text: &str) -> (&str, &str) {
    let quote = text.chars().next().filter(|first| ['"', '\''].contains(first));
    let Some(quote) = quote else { return unquoted(text) };
    let inside = &text[1..];
    let ends = inside.match_indices(quote).take(QUOTES_MAX);
    let mut ends = ends.map(|(at, _)| (&inside[..at], &inside[at + 1..]));
    let first = ends.clone().next();
    // A quote that nothing follows as it should is one of the value's own.
    ends.find(|(_, behind)| ends_value(behind, quote)).or(first).unwrap_or_else(|| unquoted(inside))
}

/// Whether a value ends where this follows its quote.
fn ends_value(behind: &str, quote: char) -> bool {
    let next = behind.trim_start();
    if next.is_empty() {
        return true;
    }
    if let Some(title) = next.strip_prefix(',') {
        // A comma in a value that has quotes of its own: another one and an attribute follow.
        let attribute = key(title.trim_start()).is_some_and(|(key, _)| is_known(key));
        return attribute || !closes_later(title, quote);
    }
    match key(next) {
        Some((key, _)) => next.len() < behind.len() || is_known(key),
        None => false,
    }
}

/// Whether a quote with an attribute behind it stands somewhere in a text.
fn closes_later(text: &str, quote: char) -> bool {
    text.match_indices(quote).take(QUOTES_MAX).any(|(at, _)| {
        let behind = &text[at + 1..];
        let next = behind.trim_start();
        next.len() < behind.len() && key(next).is_some_and(|(key, _)| is_known(key))
    })
}

/// A value without quotes: up to the comma, or to the next attribute.
fn unquoted(text: &str) -> (&str, &str) {
    let end = text.find(',').unwrap_or(text.len());
    let blanks = text[..end].match_indices([' ', '\t']);
    let next = blanks.map(|(at, _)| at).find(|at| key(text[*at..].trim_start()).is_some());
    text.split_at(next.unwrap_or(end))
}

#[cfg(test)]
mod tests {
    use super::Entry;

    fn check(line: &str, title: &str, group: &str) {
        let entry = Entry::of(line);
        assert_eq!(
            (entry.title.as_str(), entry.groups.join(";").as_str()),
            (title, group),
            "{line}"
        );
    }

    #[test]
    fn lines_are_read_as_other_players_read_them() {
        for (line, title, group) in [
            (
                "-1 tvg-id=\"a, b\" group-title=\"News;Local\",La 1, en vivo",
                "La 1, en vivo",
                "News;Local",
            ),
            ("-1,Plain", "Plain", ""),
            ("-1 , Blanks ", "Blanks", ""),
            (" -1 group-title = \"News\" , Blanks", "Blanks", "News"),
            ("-1 group-title=News,Bare", "Bare", "News"),
            ("-1 tvg-name=La 1 group-title=Two words,La 1", "La 1", "Two words"),
            (
                "-1 tvg-name='Single Quoted' group-title='Sport',Single Quoted",
                "Single Quoted",
                "Sport",
            ),
            ("-1 tvg-name='Bob's' group-title=\"It's\",Bob's", "Bob's", "It's"),
            (
                "-1 tvg-name=\"The \"Big\" One\" group-title=\"Quotes\",The \"Big\" One",
                "The \"Big\" One",
                "Quotes",
            ),
            (
                "-1 tvg-name=\"Say \"hi\", friend\" group-title=\"X\",Say \"hi\", friend",
                "Say \"hi\", friend",
                "X",
            ),
            ("-1 group-title=\"The \"Best\"\",Last", "Last", "The \"Best\""),
            ("-1 group-title=\"X\",A \"quoted\" title", "A \"quoted\" title", "X"),
            (
                "-1,tvg-id=\"c\" tvg-name=\"Behind\" group-title=\"Odd\",Behind the comma",
                "Behind the comma",
                "Odd",
            ),
            (
                "-1,tvg-id=c tvg-name=Behind group-title=Odd,Behind the comma",
                "Behind the comma",
                "Odd",
            ),
            ("-1 tvg-id=\"c\",tvg-name=\"Commas\",group-title=\"Odd\",Between", "Between", "Odd"),
            ("-1 tvg-id=\"c\"tvg-name=\"Close\"group-title=\"Odd\",No blanks", "No blanks", "Odd"),
            ("-1,E=mc2", "E=mc2", ""),
            ("-1,a=\"b\" of c", "a=\"b\" of c", ""),
            ("-1 tvg-name=\"Only here\" group-title=\"X\"", "Only here", "X"),
            ("-1 tvg-name=\"Only here\" group-title=\"X\",", "Only here", "X"),
            ("-1 group-title=\"X\" No comma", "No comma", "X"),
            ("group-title=\"X\",No length", "No length", "X"),
            ("-1 $junk group-title=\"X\",Junk", "Junk", "X"),
            ("-1 group-title=\"open,Title", "Title", "open"),
            ("-1 group-title=\"\" tvg-name=\"\",Empty", "Empty", ""),
            ("-1 GROUP-TITLE=\"Loud\",Loud", "Loud", "Loud"),
            ("-1 group-title=\"Música\",Canal Ñandú", "Canal Ñandú", "Música"),
        ] {
            check(line, title, group);
        }
    }

    #[test]
    fn nothing_is_refused_and_all_of_it_is_bounded() {
        for odd in
            ["", "-1", "5", "x,", "-1 a=\"b", "-1 =", ",,", "-1 \"", "-1 a='", "ñ=ñ,ñ", "-1 ñ\"='"]
        {
            let _ = Entry::of(odd);
        }
        let entry =
            Entry::of(&format!("-1 group-title=\"{}\",{}", "a;".repeat(900), "ñ".repeat(900)));
        assert_eq!((entry.groups.len(), entry.title.chars().count()), (16, 200));
        // Quotes, keys and commas by the thousand end soon.
        for part in ["\"", "a=\"", "\",", "\" a=", "a= ", ",tvg-x=", "'\" tvg-a='"] {
            let _ = Entry::of(&format!("-1 a=\"{}", part.repeat(60_000)));
        }
        let image = format!("-1 tvg-logo=\"data:image/png;base64,{}\",Logo", "AAAA".repeat(20_000));
        assert_eq!(Entry::of(&image).title, "Logo");
    }

    #[test]
    fn lengths_and_radios() {
        for (line, seconds) in [
            ("12.5, T", Some(12.5)),
            ("-1,T", None),
            ("0,T", None),
            ("nan,T", None),
            ("inf,T", None),
        ] {
            assert_eq!(Entry::of(line).duration_s, seconds, "{line}");
        }
        assert!(Entry::of("-1 radio=true,R").radio && Entry::of("-1 radio=\"1\",R").radio);
        assert!(!Entry::of("-1 radio=\"false\",R").radio);
    }
}
