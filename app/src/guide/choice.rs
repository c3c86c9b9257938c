//! What a visitor wants to see in the guide, and the addresses that say so.

use std::fmt::Write;

use crate::catalog::{ChannelId, Order, encode_segment};

/// The most characters of a search.
const QUERY_MAX: usize = 100;

/// What is asked of the guide.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The words of the search.
    pub query: String,
    /// Which channels, beside the words.
    pub narrow: Narrow,
    /// The channel that the visitor came from.
    pub here: Option<ChannelId>,
    /// The first roll that is shown, from 1; 0 is the first as well.
    pub roll: u32,
}

/// Which channels a guide shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Narrow {
    /// All of them.
    #[default]
    All,
    /// Music.
    Music,
    /// Live channels.
    Live,
    /// Those with a tag.
    Tag(String),
}

impl Choice {
    /// Reads the pairs of a query string, already decoded; others are passed over.
    pub fn read<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut choice = Self::default();
        for (name, value) in pairs {
            match name {
                "q" => choice.query = value.trim().chars().take(QUERY_MAX).collect(),
                "tag" if !value.is_empty() => {
                    choice.narrow = Narrow::Tag(value.chars().take(QUERY_MAX).collect());
                }
                "only" if value == "music" => choice.narrow = Narrow::Music,
                "only" if value == "live" => choice.narrow = Narrow::Live,
                "here" => choice.here = ChannelId::parse(value).ok(),
                "roll" => choice.roll = value.parse().unwrap_or(0),
                _ => {}
            }
        }
        choice
    }

    /// Whether only a part of the list is asked for.
    pub fn is_narrow(&self) -> bool {
        !self.query.is_empty() || self.narrow != Narrow::All
    }

    /// Where the visitor came from.
    pub(super) fn back(&self) -> String {
        self.here.as_ref().map_or_else(|| "/".into(), ChannelId::page)
    }

    /// The same, from its first roll, with one more parameter.
    pub(super) fn with(&self, name: &str, value: &str) -> String {
        let mut address = self.address("/guide");
        let mark = if address.contains('?') { '&' } else { '?' };
        // Writing to a string does not fail.
        let _ = write!(address, "{mark}{name}={}", encode_segment(value));
        address
    }

    /// The address of the same words, narrowed otherwise.
    pub(super) fn narrowed(&self, narrow: Narrow) -> String {
        Self { narrow, ..self.clone() }.address("/guide")
    }

    /// Its address, from the first roll.
    pub(super) fn to_address(&self) -> String {
        self.address("/guide")
    }

    /// The whole list.
    pub(super) fn widened(&self) -> String {
        Self { here: self.here.clone(), ..Self::default() }.address("/guide")
    }

    /// The page that begins with this roll.
    pub(super) fn at_roll(&self, roll: u32) -> String {
        format!("{}#roll-{roll}", self.with("roll", &roll.to_string()))
    }

    /// One roll alone, in an order that no cookie has to say.
    pub(super) fn roll_alone(&self, roll: u32, order: Order) -> String {
        let address = self.address(&format!("/guide/rolls/{roll}"));
        let mark = if address.contains('?') { '&' } else { '?' };
        format!("{address}{mark}order={order}")
    }

    fn address(&self, path: &str) -> String {
        let mut address = path.to_owned();
        let mut add = |name: &str, value: &str| {
            let mark = if address.contains('?') { '&' } else { '?' };
            let _ = write!(address, "{mark}{name}={}", encode_segment(value));
        };
        if !self.query.is_empty() {
            add("q", &self.query);
        }
        match &self.narrow {
            Narrow::All => {}
            Narrow::Music => add("only", "music"),
            Narrow::Live => add("only", "live"),
            Narrow::Tag(tag) => add("tag", tag),
        }
        if let Some(here) = &self.here {
            add("here", here.as_str());
        }
        address
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, Narrow};
    use crate::catalog::Order;

    #[test]
    fn choices_are_read_and_kept_on_links() {
        let choice =
            Choice::read([("q", " a&b "), ("tag", "nieve"), ("here", "año"), ("roll", "3")]);
        assert_eq!((&*choice.query, choice.roll), ("a&b", 3));
        assert_eq!(choice.narrow, Narrow::Tag("nieve".into()));
        assert_eq!(choice.back(), "/c/a%C3%B1o");
        assert_eq!(choice.with("lang", "es"), "/guide?q=a%26b&tag=nieve&here=a%C3%B1o&lang=es");
        assert_eq!(choice.narrowed(Narrow::Live), "/guide?q=a%26b&only=live&here=a%C3%B1o");
        assert_eq!(choice.widened(), "/guide?here=a%C3%B1o");
        assert_eq!(Choice::default().at_roll(2), "/guide?roll=2#roll-2");
        let order = Order::Shuffle(7);
        assert_eq!(Choice::default().roll_alone(2, order), "/guide/rolls/2?order=shuffle.7");
    }

    #[test]
    fn bad_choices_are_none() {
        let choice = Choice::read([("only", "x"), ("here", "a/b"), ("roll", "-1"), ("tag", "")]);
        assert_eq!(choice, Choice::default());
        assert!(Choice::read([("q", &*"a".repeat(200))]).query.len() == 100);
    }
}
