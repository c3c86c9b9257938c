//! What a visitor wants to see in the guide, and the addresses that say so.

use std::fmt::Write;

use crate::catalog::{ChannelId, Order, encode_segment};

/// The most characters of a search.
const QUERY_MAX: usize = 100;

/// What is asked of the guide.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuideQuery {
    /// The words of the search.
    pub text: String,
    /// Which channels, beside the words.
    pub filter: Filter,
    /// The channel that the visitor came from.
    pub here: Option<ChannelId>,
    /// The first roll that is shown, from 1; 0 is the first as well.
    pub roll: u32,
}

/// Which channels a guide shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Filter {
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

impl GuideQuery {
    /// Reads the pairs of a query string, already decoded; others are passed over.
    pub fn read<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut query = Self::default();
        for (name, value) in pairs {
            match name {
                "q" => query.text = value.trim().chars().take(QUERY_MAX).collect(),
                "tag" if !value.is_empty() => {
                    query.filter = Filter::Tag(value.chars().take(QUERY_MAX).collect());
                }
                "only" if value == "music" => query.filter = Filter::Music,
                "only" if value == "live" => query.filter = Filter::Live,
                "here" => query.here = ChannelId::parse(value).ok(),
                "roll" => query.roll = value.parse().unwrap_or(0),
                _ => {}
            }
        }
        query
    }

    /// Whether only a part of the list is asked for.
    pub fn is_filtered(&self) -> bool {
        !self.text.is_empty() || self.filter != Filter::All
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
    pub(super) fn narrowed(&self, filter: Filter) -> String {
        Self { filter, ..self.clone() }.address("/guide")
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
        if !self.text.is_empty() {
            add("q", &self.text);
        }
        match &self.filter {
            Filter::All => {}
            Filter::Music => add("only", "music"),
            Filter::Live => add("only", "live"),
            Filter::Tag(tag) => add("tag", tag),
        }
        if let Some(here) = &self.here {
            add("here", here.as_str());
        }
        address
    }
}

#[cfg(test)]
mod tests {
    use super::{Filter, GuideQuery};
    use crate::catalog::Order;

    #[test]
    fn choices_are_read_and_kept_on_links() {
        let query =
            GuideQuery::read([("q", " a&b "), ("tag", "nieve"), ("here", "año"), ("roll", "3")]);
        assert_eq!((&*query.text, query.roll), ("a&b", 3));
        assert_eq!(query.filter, Filter::Tag("nieve".into()));
        assert_eq!(query.back(), "/c/a%C3%B1o");
        assert_eq!(query.with("lang", "es"), "/guide?q=a%26b&tag=nieve&here=a%C3%B1o&lang=es");
        assert_eq!(query.narrowed(Filter::Live), "/guide?q=a%26b&only=live&here=a%C3%B1o");
        assert_eq!(query.widened(), "/guide?here=a%C3%B1o");
        assert_eq!(GuideQuery::default().at_roll(2), "/guide?roll=2#roll-2");
        let order = Order::Shuffle(7);
        assert_eq!(GuideQuery::default().roll_alone(2, order), "/guide/rolls/2?order=shuffle.7");
    }

    #[test]
    fn bad_choices_are_none() {
        let query = GuideQuery::read([("only", "x"), ("here", "a/b"), ("roll", "-1"), ("tag", "")]);
        assert_eq!(query, GuideQuery::default());
        assert!(GuideQuery::read([("q", &*"a".repeat(200))]).text.len() == 100);
    }
}
