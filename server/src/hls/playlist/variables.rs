//! Variables of a playlist (draft-pantos-hls-rfc8216bis, 4.3 and 4.4.2.3): `EXT-X-DEFINE` names them,
//! `{$name}` stands for them. Players' small builds do not know them, so that they are replaced here.

use std::{borrow::Cow, collections::HashMap};

use percent_encoding::percent_decode_str;

use super::MAX_BYTES;

const DEFINE: &str = "#EXT-X-DEFINE:";
/// All that a playlist defines, in bytes: each value may be made of those before it.
const DEFINED_MAX: usize = 1 << 20;
/// So many variables are defined at most, each looked for in the query of the address,
const VARIABLES_MAX: usize = 1_000;
/// and none with a longer name.
const NAME_MAX: usize = 256;

/// What a playlist defines, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(HashMap<String, String>);

/// Why variables cannot be replaced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VariableError {
    /// An `EXT-X-DEFINE` that says neither what nor whence.
    #[error("an EXT-X-DEFINE in it defines nothing")]
    Empty,
    /// A name that is taken.
    #[error("its EXT-X-DEFINE defines the variable \"{0}\" twice")]
    Twice(String),
    /// The playlist above does not define it, or there is none.
    #[error("its EXT-X-DEFINE imports \"{0}\", which no master playlist above it defines")]
    Import(String),
    /// The address of the playlist has no such parameter.
    #[error("its EXT-X-DEFINE takes \"{0}\" out of the query of its address, which has none")]
    Query(String),
    /// It stands for nothing.
    #[error("no EXT-X-DEFINE says what {{${0}}} stands for")]
    Undefined(String),
    /// Replaced, it is longer than any playlist that is read.
    #[error("its EXT-X-DEFINE makes it too long")]
    TooLong,
}

/// The text with every variable replaced, and without the tags that define them. `query` is that of
/// the address of the playlist, `above` what its master playlist defines. A text that defines nothing
/// stays as it is: an older writer may mean what it says.
///
/// # Errors
/// It defines or uses a variable in a way that can only be a mistake.
pub fn expand<'a>(
    text: &'a str,
    query: Option<&str>,
    above: Option<&Variables>,
) -> Result<(Cow<'a, str>, Variables), VariableError> {
    let mut known = Variables::default();
    if !text.contains(DEFINE) {
        return Ok((Cow::Borrowed(text), known));
    }
    let mut expanded = String::with_capacity(text.len());
    // What definitions are made of counts too: it is written once for each of them.
    let mut defined = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with(DEFINE) {
            let line = known.replaced(line)?;
            defined += line.len();
            known.define(&line, query, above)?;
        } else if line.starts_with('#') && !line.starts_with("#EXT-X-") {
            expanded.push_str(line);
        } else {
            expanded.push_str(&known.replaced(line)?);
        }
        if (expanded.len() + defined) as u64 > MAX_BYTES {
            return Err(VariableError::TooLong);
        }
    }
    Ok((Cow::Owned(expanded), known))
}

impl Variables {
    fn define(
        &mut self,
        line: &str,
        query: Option<&str>,
        above: Option<&Self>,
    ) -> Result<(), VariableError> {
        let list = line.strip_prefix(DEFINE).unwrap_or_default();
        let kinds = ["NAME", "IMPORT", "QUERYPARAM"];
        if kinds.iter().any(|kind| attribute(list, kind).is_some_and(|name| name.len() > NAME_MAX))
        {
            return Err(VariableError::TooLong);
        }
        let (name, value) = if let Some(name) = attribute(list, "NAME") {
            (name, attribute(list, "VALUE").unwrap_or_default().to_owned())
        } else if let Some(name) = attribute(list, "IMPORT") {
            let value = above.and_then(|above| above.0.get(name));
            (name, value.ok_or_else(|| VariableError::Import(name.to_owned()))?.clone())
        } else if let Some(name) = attribute(list, "QUERYPARAM") {
            let value = query.and_then(|query| parameter(query, name));
            (name, value.ok_or_else(|| VariableError::Query(name.to_owned()))?)
        } else {
            return Err(VariableError::Empty);
        };
        if self.0.contains_key(name) {
            return Err(VariableError::Twice(name.to_owned()));
        }
        let bytes: usize = self.0.iter().map(|(name, value)| name.len() + value.len()).sum();
        let is_too_much = bytes + name.len() + value.len() > DEFINED_MAX;
        if is_too_much || self.0.len() >= VARIABLES_MAX {
            return Err(VariableError::TooLong);
        }
        self.0.insert(name.to_owned(), value);
        Ok(())
    }

    fn replaced<'a>(&self, line: &'a str) -> Result<Cow<'a, str>, VariableError> {
        if !line.contains("{$") {
            return Ok(Cow::Borrowed(line));
        }
        let mut replaced = String::with_capacity(line.len());
        let mut rest = line;
        while let Some((before, behind)) = rest.split_once("{$") {
            replaced.push_str(before);
            let Some((name, behind)) = named(behind) else {
                replaced.push_str("{$");
                rest = behind;
                continue;
            };
            let value = self.0.get(name);
            replaced.push_str(value.ok_or_else(|| VariableError::Undefined(name.to_owned()))?);
            if replaced.len() as u64 > MAX_BYTES {
                return Err(VariableError::TooLong);
            }
            rest = behind;
        }
        replaced.push_str(rest);
        Ok(Cow::Owned(replaced))
    }
}

/// The name that the text begins with, and what stands behind its brace. Looks no further than a name
/// reaches: a line may open any number of braces that nothing closes.
fn named(text: &str) -> Option<(&str, &str)> {
    let is_of_name = |b: &u8| b.is_ascii_alphanumeric() || *b == b'-' || *b == b'_';
    let length = text.bytes().take(NAME_MAX + 1).take_while(is_of_name).count();
    let behind = text[length..].strip_prefix('}').filter(|_| length > 0 && length <= NAME_MAX)?;
    Some((&text[..length], behind))
}

/// A quoted value of an attribute list.
fn attribute<'a>(list: &'a str, wanted: &str) -> Option<&'a str> {
    let mut rest = list;
    while let Some((name, behind)) = rest.split_once("=\"") {
        let (value, behind) = behind.split_once('"')?;
        if name.trim_matches([',', ' ']) == wanted {
            return Some(value);
        }
        rest = behind;
    }
    None
}

/// The value of a parameter, if it can stand in a playlist.
fn parameter(query: &str, wanted: &str) -> Option<String> {
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8().map(|text| text.into_owned()).ok()
    };
    let pairs = query.split('#').next()?.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) =
        pairs.into_iter().find(|(name, _)| decoded(name).as_deref() == Some(wanted))?;
    decoded(value).filter(|value| !value.contains(|c: char| c.is_control() || c == '"'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{VariableError, Variables, expand};

    fn expanded(text: &str) -> Result<String, VariableError> {
        expand(text, None, None).map(|(text, _)| text.into_owned())
    }

    #[test]
    fn names_and_values() {
        let text = "#EXTM3U\n#EXT-X-DEFINE:NAME=\"at\",VALUE=\"media/part\"\r\n\
            #EXT-X-DEFINE:NAME=\"full\",VALUE=\"{$at}-1\"\n#EXT-X-KEY:METHOD=AES-128,URI=\"{$at}.key\"\n\
            #EXTINF:2,{$at}\n# {$nothing}\n{$full}/{$at}0.ts\n{$ x}.ts\n";
        let right = "#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"media/part.key\"\n\
            #EXTINF:2,{$at}\n# {$nothing}\nmedia/part-1/media/part0.ts\n{$ x}.ts\n";
        assert_eq!(expanded(text).as_deref(), Ok(right));
        // An empty value is one.
        let text = "#EXTM3U\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"\"\n{$a}0.ts\n";
        assert_eq!(expanded(text).as_deref(), Ok("#EXTM3U\n0.ts\n"));
    }

    #[test]
    fn who_defines_nothing_means_what_it_says() {
        let text = "#EXTM3U\n#EXTINF:1,\n{$at}0.ts\n";
        assert_eq!(expanded(text).as_deref(), Ok(text));
    }

    #[test]
    fn imports_and_queries() {
        let master = "#EXTM3U\n#EXT-X-DEFINE:NAME=\"at\",VALUE=\"x\"\n";
        let (_, above) = expand(master, None, None).expect("it defines one");
        let child =
            "#EXT-X-DEFINE:IMPORT=\"at\"\n#EXT-X-DEFINE:QUERYPARAM=\"lang\"\n{$at}/{$lang}.ts\n";
        let query = Some("v=1&lang=pt%2DBR");
        let read = expand(child, query, Some(&above)).map(|(text, _)| text.into_owned());
        assert_eq!(read.as_deref(), Ok("x/pt-BR.ts\n"));
        let why = |query, above: Option<&Variables>| {
            expand(child, query, above).expect_err("one is not defined").to_string()
        };
        assert!(why(query, None).contains("EXT-X-DEFINE imports \"at\""));
        assert!(why(Some("lang=a%0Ab"), Some(&above)).contains("takes \"lang\""));
        assert!(why(None, Some(&above)).contains("takes \"lang\""));
    }

    #[test]
    fn mistakes() {
        let define = "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"\n";
        for (text, error) in [
            (format!("{define}{define}"), VariableError::Twice("a".into())),
            (format!("{define}{{$c}}.ts\n"), VariableError::Undefined("c".into())),
            ("#EXT-X-DEFINE:VALUE=\"b\"\n".into(), VariableError::Empty),
            ("#EXT-X-DEFINE:IMPORT=\"b\"\n".into(), VariableError::Import("b".into())),
        ] {
            assert_eq!(expanded(&text), Err(error));
        }
        let long = "x".repeat(1 << 20);
        let text = format!("#EXT-X-DEFINE:NAME=\"a\",VALUE=\"{long}\"\n{}\n", "{$a}".repeat(40));
        assert_eq!(expanded(&text), Err(VariableError::TooLong));
        let long = "x".repeat(300);
        for text in [
            format!("#EXT-X-DEFINE:NAME=\"{long}\",VALUE=\"b\"\n"),
            format!("#EXT-X-DEFINE:IMPORT=\"{long}\"\n"),
        ] {
            assert_eq!(expanded(&text), Err(VariableError::TooLong));
        }
    }

    #[test]
    fn what_is_defined_is_bounded_in_all() {
        let define =
            |name: &str, value: &str| format!("#EXT-X-DEFINE:NAME=\"{name}\",VALUE=\"{value}\"\n");
        // Each sixteen times the one before: the sixth would be a megabyte.
        let mut text = define("a", "x");
        for (name, before) in [("b", "a"), ("c", "b"), ("d", "c"), ("e", "d"), ("f", "e")] {
            text.push_str(&define(name, &format!("{{${before}}}").repeat(16)));
        }
        assert_eq!(expanded(&text), Err(VariableError::TooLong));
        // Half of that is one, and each of these is one more.
        let half = define("a", &"x".repeat(super::DEFINED_MAX / 2 - 100));
        assert_eq!(expanded(&half).as_deref(), Ok(""));
        assert!(expanded(&(half.clone() + &define("b", "{$a}"))).is_ok());
        let three = half.clone() + &define("b", "{$a}") + &define("c", "{$a}");
        assert_eq!(expanded(&three), Err(VariableError::TooLong));
        // What is written out and kept nowhere costs as much.
        let lines: String =
            (0..40).map(|n| format!("#EXT-X-DEFINE:NAME=\"n{n}\",X=\"{{$a}}\"\n")).collect();
        assert_eq!(expanded(&(half + &lines)), Err(VariableError::TooLong));
        let many: String =
            (0..=super::VARIABLES_MAX).map(|n| define(&format!("n{n}"), "")).collect();
        assert_eq!(expanded(&many), Err(VariableError::TooLong));
    }

    #[test]
    fn braces_that_nothing_closes_are_read_once() {
        // With a look at all that follows each, this would take an hour.
        let define = "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"\n";
        let open = "{$".repeat(4 << 20);
        let text = format!("{define}{open}\n");
        assert_eq!(expanded(&text), Ok(format!("{open}\n")));
    }

    proptest! {
        #[test]
        fn any_text_is_replaced_or_refused(text in "(\\PC|\n|\"|\\{\\$|a\\}|#EXT-X-DEFINE:NAME=\"a\",VALUE=){0,60}") {
            if let Ok((text, _)) = expand(&text, None, None) {
                prop_assert!(text.len() < 1 << 20);
            }
        }
    }
}
