//! `channel.toml`: what the operator says of a channel. One that cannot be read hides the channel, and
//! so that a mistake while somebody edits it hides nothing, the last one that could be read holds.

use serde::Deserialize;

use super::{files::Files, probe_cache::ProbeCache, reason::Reason};

/// The longest `channel.toml` that is read, in bytes.
pub(crate) const MAX_BYTES: u64 = 64 << 10;

/// The keys of `channel.toml`; others are passed over.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct About {
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) tags: Vec<String>,
    /// Place in the feed, ascending; those without come after.
    pub(crate) order: Option<f64>,
    /// Not listed and not served.
    pub(crate) hidden: bool,
    /// Whom it is for.
    pub(crate) access: Access,
}

impl About {
    /// Whether nobody is shown it: while there are no accounts, what is for some is for nobody.
    pub(crate) fn is_hidden(&self) -> bool {
        self.hidden || self.access != Access::Everyone
    }
}

/// Whom a channel is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Access {
    /// Nobody needs an account.
    #[default]
    Everyone,
    /// Who has signed in.
    Members,
    /// Who has bought it.
    Buyers,
    /// Its owner.
    Private,
}

impl Access {
    /// Its word, where it is not for everyone.
    fn narrow(self) -> Option<&'static str> {
        match self {
            Self::Everyone => None,
            Self::Members => Some("members"),
            Self::Buyers => Some("buyers"),
            Self::Private => Some("private"),
        }
    }
}

/// What was found of a channel's owner.
#[derive(Debug, Default)]
pub(crate) struct Owner {
    pub(crate) about: About,
    /// When it was said, Unix time in milliseconds.
    pub(crate) modified_ms: u64,
    /// What is wrong with what is written now; what was written before holds.
    pub(crate) error: Option<String>,
}

/// Reads the file `name`, if there is one. `memory` keeps the last that could be read.
pub(crate) fn read(
    files: &mut dyn Files,
    name: &str,
    memory: &mut Option<ProbeCache>,
) -> Result<Owner, Reason> {
    let memory = memory.get_or_insert_default();
    let (text, modified_ms) = match files.aside(name) {
        Ok(Some(stamp)) => (files.text_aside(name, MAX_BYTES), stamp.modified_ms()),
        Ok(None) if files.is_odd(name) => (Err("it is no plain file".into()), 0),
        Ok(None) => match misnamed(files, name) {
            Some(wrong) => return Err(wrong),
            None => {
                memory.about = None;
                return Ok(Owner::default());
            }
        },
        Err(reason) => (Err(reason.to_string()), 0),
    };
    let read = text.and_then(|text| parse(&text));
    let (about, error) = match (read, &memory.about) {
        (Ok(about), _) => (about, None),
        (Err(why), Some(before)) => (before.clone(), Some(why)),
        (Err(why), None) => return Err(Reason::About { file: name.to_owned(), why }),
    };
    memory.about = Some(about.clone());
    match about.access.narrow() {
        Some(access) => Err(Reason::Access { file: name.to_owned(), access }),
        None => Ok(Owner { about, modified_ms, error }),
    }
}

/// A file that somebody meant by that name: in other letters, or with an extension that an editor added
/// and nobody was shown.
pub(super) fn misnamed(files: &dyn Files, name: &str) -> Option<Reason> {
    let meant = [name.to_owned(), format!("{name}.txt")];
    let all = files.names().unwrap_or_default();
    let mut all = all.iter().chain(files.beside()).filter(|found| *found != name);
    let found = all.find(|found| meant.iter().any(|meant| found.eq_ignore_ascii_case(meant)))?;
    let why = format!("its name has to be {name}");
    Some(Reason::About { file: found.clone(), why })
}

/// Reads it; blank texts count as absent. An error names the line.
pub(crate) fn parse(text: &str) -> Result<About, String> {
    let told = |error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("line {line}: {}", error.message())
    };
    let all: toml::Table = toml::from_str(text).map_err(told)?;
    if let Some((key, why)) = all.iter().find_map(|(key, value)| Some((key, narrows(key, value)?)))
    {
        let is_it = |line: &str| line.trim_start_matches([' ', '\t', '[', '"']).starts_with(key);
        let line = text.lines().position(is_it).map_or(1, |at| at + 1);
        return Err(format!("line {line}: {why}"));
    }
    let mut about: About = toml::from_str(text).map_err(told)?;
    let trim = |text: Option<String>| {
        text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    about.title = trim(about.title);
    about.description = trim(about.description);
    about.tags.retain(|tag| !tag.trim().is_empty());
    about.order = about.order.filter(|order| order.is_finite());
    Ok(about)
}

/// Keys that say who is shown a channel, and when.
const NARROWING: [&str; 4] = ["hidden", "access", "from", "until"];

/// Why this key may be meant to keep the channel from some people, and does not: it is passed over
/// nowhere, since what was to be hidden would be shown.
fn narrows(key: &str, value: &toml::Value) -> Option<String> {
    match key {
        "hidden" | "access" => return None,
        "from" | "until" => return Some(format!("{key} is not understood yet")),
        _ => {}
    }
    if let toml::Value::Table(below) = value {
        let inside = below.keys().find(|key| NARROWING.contains(&key.as_str()));
        return inside.map(|inside| format!("{inside} has to stand above every [{key}]"));
    }
    let small = key.to_ascii_lowercase();
    let near = NARROWING.into_iter().find(|known| {
        // Short words are near to many.
        small == *known || known.len() > 4 && strsim::osa_distance(&small, known) == 1
    });
    near.map(|known| format!("there is no key {key}; {known} may be meant"))
}

#[cfg(test)]
mod tests {
    use super::{About, Access, parse};

    #[test]
    fn all_keys_are_optional() {
        assert_eq!(parse(""), Ok(About::default()));
        let about = parse("title = \" Olas \"\ntags = [\"mar\", \" \"]\norder = 2\nnew = 1\n");
        assert!(about.is_ok_and(|about| about.title.as_deref() == Some("Olas")
            && about.tags == ["mar"]
            && about.order == Some(2.0)));
        assert!(parse("access = \"members\"").is_ok_and(|about| about.access == Access::Members));
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (text, line) in [
            ("title = 5", 1),
            ("title =", 1),
            ("\n\nhidden = \"yes\"\n", 3),
            ("title = \"x\"\naccess = \"family\"\n", 2),
            ("title = \"x\"\ntitle = \"y\"\n", 2),
            // What was to be hidden is not shown for a typo.
            ("title = \"x\"\nacces = \"members\"\n", 2),
            ("Hidden = true", 1),
            ("HIDDEN = true", 1),
            ("\"hiden\" = true", 1),
            ("\n[channel]\nhidden = true\n", 2),
            ("title = \"x\"\nuntil = \"2001-01-01\"\n", 2),
            ("from = 2999-01-01", 1),
        ] {
            let why = parse(text).expect_err(text);
            assert!(why.starts_with(&format!("line {line}: ")), "{text:?}: {why}");
        }
    }
}
