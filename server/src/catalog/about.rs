//! `channel.toml`: what the operator says of a channel. One that cannot be read hides the channel, and
//! so that a mistake while somebody edits it hides nothing, the last one that could be read holds.

use serde::Deserialize;

use super::{files::Files, probe::Probed, reason::Reason};

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
    memory: &mut Option<Probed>,
) -> Result<Owner, Reason> {
    let memory = memory.get_or_insert_default();
    let (text, modified_ms) = match files.aside(name) {
        Ok(Some(stamp)) => (files.text_aside(name, MAX_BYTES), stamp.modified_ms()),
        Ok(None) if files.is_odd(name) => (Err("it is no plain file".into()), 0),
        Ok(None) => {
            memory.about = None;
            return Ok(Owner::default());
        }
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

/// Reads it; blank texts count as absent. An error names the line.
pub(crate) fn parse(text: &str) -> Result<About, String> {
    let mut about: About = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("line {line}: {}", error.message())
    })?;
    let trim = |text: Option<String>| {
        text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    about.title = trim(about.title);
    about.description = trim(about.description);
    about.tags.retain(|tag| !tag.trim().is_empty());
    about.order = about.order.filter(|order| order.is_finite());
    Ok(about)
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
        ] {
            let why = parse(text).expect_err(text);
            assert!(why.starts_with(&format!("line {line}: ")), "{text:?}: {why}");
        }
    }
}
