//! In which order the list is watched: a visitor's choice. The list itself stays in feed order.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The order of the strip and of the guide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Order {
    /// As the folder says.
    #[default]
    Feed,
    /// What changed last comes first; ties in feed order.
    Newest,
    /// Shuffled by this seed: the same for as long as a visitor keeps it.
    Shuffle(u32),
}

impl Order {
    /// Reads `feed`, `newest` or `shuffle.` and a seed.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "feed" => Some(Self::Feed),
            "newest" => Some(Self::Newest),
            _ => text.strip_prefix("shuffle.")?.parse().ok().map(Self::Shuffle),
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Feed => f.write_str("feed"),
            Self::Newest => f.write_str("newest"),
            Self::Shuffle(seed) => write!(f, "shuffle.{seed}"),
        }
    }
}

impl TryFrom<String> for Order {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("an order is feed, newest or shuffle. and a number")
    }
}

impl From<Order> for String {
    fn from(order: Order) -> Self {
        order.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::Order;

    #[test]
    fn orders_are_read_back() {
        for order in [Order::Feed, Order::Newest, Order::Shuffle(0), Order::Shuffle(u32::MAX)] {
            assert_eq!(Order::parse(&order.to_string()), Some(order));
        }
        for bad in ["", "shuffle", "shuffle.", "shuffle.-1", "shuffle.4294967296", "Feed"] {
            assert_eq!(Order::parse(bad), None, "{bad}");
        }
    }
}
