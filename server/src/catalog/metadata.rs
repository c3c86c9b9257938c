//! `channel.toml`: what the operator says of a channel.

use serde::Deserialize;

/// The keys of `channel.toml`; others are passed over.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct ChannelMetadata {
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

impl ChannelMetadata {
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
    pub(crate) fn narrow(self) -> Option<&'static str> {
        match self {
            Self::Everyone => None,
            Self::Members => Some("members"),
            Self::Buyers => Some("buyers"),
            Self::Private => Some("private"),
        }
    }
}

/// Reads it; blank texts count as absent. An error names the line.
pub(crate) fn parse(text: &str) -> Result<ChannelMetadata, String> {
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
    let mut about: ChannelMetadata = toml::from_str(text).map_err(told)?;
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
    use super::{Access, ChannelMetadata, parse};

    #[test]
    fn all_keys_are_optional() {
        assert_eq!(parse(""), Ok(ChannelMetadata::default()));
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
