//! Day and night: what a visitor chose, or what their device says.

/// The colour scheme of the pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the device says.
    #[default]
    Auto,
    /// The light table.
    Light,
    /// The room.
    Dark,
}

impl Theme {
    /// Reads `auto`, `light` or `dark`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Auto, Self::Light, Self::Dark].into_iter().find(|theme| theme.name() == text)
    }

    /// The text that [`Theme::parse`] reads back.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The value of `data-theme`, where the visitor and not the device decides.
    pub fn forced(self) -> Option<&'static str> {
        (self != Self::Auto).then(|| self.name())
    }
}
