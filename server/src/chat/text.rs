//! The two texts that people write: a name and a message, each checked once, at the door.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// A name as others see it: 1–24 visible characters, trimmed, in NFC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

/// What is said: 1–500 Unicode scalar values in NFC, trimmed, on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageText(String);

/// Why a text was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing visible in it.
    #[error("there is nothing to read in it")]
    Empty,
    /// More characters than allowed.
    #[error("it has too many characters")]
    TooLong,
    /// A character that would disturb what stands around it.
    #[error("it holds a control character")]
    Character,
}

impl Username {
    /// The most visible characters.
    pub const MAX_VISIBLE: usize = 24;
    /// The most scalar values, marks and joiners told: a stack of accents is no name.
    const MAX_SCALARS: usize = 72;

    /// Checks a wished name. Runs of white space become one space.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        if text.len() > Self::MAX_SCALARS * 16 {
            return Err(TextError::TooLong);
        }
        let name: String = text.nfc().collect();
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let name = name.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
        if name.chars().any(|c| c.is_control() || turns_direction(c)) {
            return Err(TextError::Character);
        }
        let visible = name.chars().filter(|c| is_visible(*c)).count();
        if visible == 0 {
            return Err(TextError::Empty);
        }
        if visible > Self::MAX_VISIBLE || name.chars().count() > Self::MAX_SCALARS {
            return Err(TextError::TooLong);
        }
        Ok(Self(name.to_owned()))
    }

    /// The same name with a number behind it, cut so that it stays a name.
    pub fn numbered(&self, number: u32) -> Self {
        let number = number.to_string();
        let mut kept = self.0.as_str();
        while kept.chars().filter(|c| is_visible(*c)).count() + number.len() > Self::MAX_VISIBLE {
            let mut rest = kept.chars();
            rest.next_back();
            kept = rest.as_str();
        }
        Self(format!("{}{number}", kept.trim_end()))
    }

    /// What two names are compared by: NFKC, without regard to case or to what cannot be seen.
    pub fn folded(&self) -> String {
        self.0
            .nfkc()
            .flat_map(char::to_uppercase)
            .flat_map(char::to_lowercase)
            .filter(|c| !is_invisible(*c))
            .nfkc()
            .collect()
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl MessageText {
    /// The most Unicode scalar values.
    pub const MAX_CHARS: usize = 500;

    /// Checks what somebody wants to say. Line ends and tabs become spaces, other controls vanish.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let said: String = text
            .replace("\r\n", "\n")
            .chars()
            .map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c })
            .filter(|c| !c.is_control())
            .nfc()
            .collect();
        let said = said.trim();
        if !said.chars().any(is_visible) {
            return Err(TextError::Empty);
        }
        if said.chars().count() > Self::MAX_CHARS {
            return Err(TextError::TooLong);
        }
        Ok(Self(said.to_owned()))
    }

    /// As text, never HTML.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_visible(c: char) -> bool {
    !(c.is_whitespace() || c.is_control() || is_combining_mark(c) || is_invisible(c))
}

/// Characters without a glyph (Unicode's `Default_Ignorable_Code_Point`) and the blank fillers.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::{MessageText, TextError, Username};

    #[test]
    fn names_are_one_to_twenty_four_visible_characters() {
        for (wish, name) in [
            ("ana", "ana"),
            ("  Ana   María ", "Ana María"),
            ("e\u{301}va", "éva"),
            ("\u{200B}x\u{200B}", "x"),
            (&"🎬".repeat(24), &"🎬".repeat(24)),
            ("👩\u{200D}🚀", "👩\u{200D}🚀"),
            ("<b>", "<b>"),
        ] {
            assert_eq!(Username::parse(wish).as_ref().map(Username::as_str), Ok(name), "{wish:?}");
        }
        for (wish, why) in [
            ("", TextError::Empty),
            (" \t\n", TextError::Empty),
            ("\u{200B}\u{200D}\u{FEFF}", TextError::Empty),
            ("\u{301}", TextError::Empty),
            (&*"x".repeat(25), TextError::TooLong),
            (&*format!("x{}", "\u{301}".repeat(100)), TextError::TooLong),
            (&*"x".repeat(100_000), TextError::TooLong),
            ("a\u{0}b", TextError::Character),
            ("a\u{202E}b", TextError::Character),
        ] {
            assert_eq!(Username::parse(wish), Err(why), "{wish:?}");
        }
    }

    #[test]
    fn names_are_compared_as_people_read_them() {
        let folded = |name: &str| Username::parse(name).map(|name| name.folded());
        for (a, b) in [
            ("ana", "ANA"),
            ("ana", "ａｎａ"),
            ("straße", "STRASSE"),
            ("a\u{200B}b", "ab"),
            ("ﬁn", "fin"),
        ] {
            assert_eq!(folded(a), folded(b), "{a} {b}");
        }
        assert_ne!(folded("ana"), folded("aná"));
    }

    #[test]
    fn a_number_keeps_the_name_a_name() {
        let name = Username::parse(&"x".repeat(24)).expect("a name").numbered(12);
        assert_eq!(name.as_str(), format!("{}12", "x".repeat(22)));
        assert_eq!(Username::parse(name.as_str()), Ok(name.clone()));
        assert_eq!(Username::parse("ana").map(|name| name.numbered(2).0), Ok("ana2".into()));
    }

    #[test]
    fn messages_are_one_to_five_hundred_scalar_values() {
        for (text, said) in [
            ("  hola \n", "hola"),
            ("a\r\nb\tc", "a b c"),
            ("a\u{7}b", "ab"),
            ("<b>hola</b> ñ 🎬", "<b>hola</b> ñ 🎬"),
            (&"🎬".repeat(500), &"🎬".repeat(500)),
            (&"e\u{301}".repeat(500), &"é".repeat(500)),
        ] {
            assert_eq!(MessageText::parse(text).as_ref().map(MessageText::as_str), Ok(said));
        }
        assert_eq!(MessageText::parse(&"x".repeat(501)), Err(TextError::TooLong));
        assert_eq!(MessageText::parse(" \u{200B} \n"), Err(TextError::Empty));
    }
}
