//! `channel.toml`: what the operator says of a channel.

use serde::Deserialize;

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
}

/// Reads it; blank texts count as absent.
pub(crate) fn parse(text: &str) -> Result<About, String> {
    let mut about: About = toml::from_str(text).map_err(|error| error.message().to_owned())?;
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
    use super::{About, parse};

    #[test]
    fn all_keys_are_optional() {
        assert_eq!(parse(""), Ok(About::default()));
        let about = parse("title = \" Olas \"\ntags = [\"mar\", \" \"]\norder = 2\nnew = 1\n");
        assert!(about.is_ok_and(|about| about.title.as_deref() == Some("Olas")
            && about.tags == ["mar"]
            && about.order == Some(2.0)));
        assert!(parse("title = 5").is_err());
        assert!(parse("title =").is_err());
    }
}
