//! The layout modes of the page, by name. A stylesheet that has no custom media asks for them in the
//! same words, and a test compares: whoever changes one changes all.

/// No room beside the picture: the chat is a sheet, no column.
pub(crate) const SHEET: &str = "(width < 1180px)";
/// There is film beside the picture: controls stand there, one below the other.
pub(crate) const FILM_BESIDE: &str = "(width >= 560px) and (min-aspect-ratio: 18/25)";

#[cfg(test)]
mod tests {
    use super::{FILM_BESIDE, SHEET};

    /// The chat is a column beside the picture: no [`SHEET`].
    const COLUMN: &str = "(width >= 1180px)";
    /// A phone on its side: little height, and no room for a column.
    const ON_ITS_SIDE: &str = "(560px <= width < 1180px) and (height <= 500px)";
    /// Nothing but the picture: no [`FILM_BESIDE`], however wide.
    const PICTURE_ALONE: &str = "(aspect-ratio < 18/25)";

    const STYLES: [(&str, &str); 13] = [
        ("bars", include_str!("../../style/bars.css")),
        ("chat", include_str!("../../style/chat.css")),
        ("guide", include_str!("../../public/guide.css")),
        ("leader", include_str!("../../style/leader.css")),
        ("marks", include_str!("../../style/marks.css")),
        ("menu", include_str!("../../style/menu.css")),
        ("play-overlay", include_str!("../../style/play-overlay.css")),
        ("player", include_str!("../../style/player.css")),
        ("reels", include_str!("../../style/reels.css")),
        ("room", include_str!("../../style/room.css")),
        ("share", include_str!("../../style/share.css")),
        ("slate", include_str!("../../style/slate.css")),
        ("theme", include_str!("../../style/theme.css")),
    ];

    #[test]
    fn stylesheets_know_the_same_modes() {
        let mut asked = [0; 5];
        let modes = [SHEET, COLUMN, ON_ITS_SIDE, FILM_BESIDE, PICTURE_ALONE];
        for (name, style) in STYLES {
            let bounds = |line: &&str| line.contains("1180px") || line.contains("18/25");
            for line in style.lines().filter(|line| line.contains("@media")).filter(bounds) {
                let mode = modes.iter().position(|mode| line.contains(mode));
                let mode =
                    mode.unwrap_or_else(|| panic!("{name}.css knows a mode of its own: {line}"));
                asked[mode] += 1;
            }
        }
        assert!(asked.iter().all(|times| *times > 0), "a mode that no stylesheet has: {asked:?}");
    }
}
