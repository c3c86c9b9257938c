//! Texts of tags as people wrote them.

/// The text. What is made of the upper half of Latin-1 alone is Windows-1251, which older programs
/// wrote where a tag has no word for it: no language writes with those letters and no others.
pub(super) fn readable(text: &str) -> String {
    let letters = text.chars().filter(|c| c.is_alphabetic() || matches!(c, '\u{80}'..='\u{BF}'));
    let (upper, all) = letters.fold((0, 0), |(upper, all), c| {
        let is_upper = matches!(c, '\u{C0}'..='\u{FF}' | '\u{A8}' | '\u{B8}');
        (upper + usize::from(is_upper), all + 1)
    });
    let is_cyrillic =
        upper >= 3 && upper * 4 >= all * 3 && text.chars().all(|c| u32::from(c) < 0x100);
    if is_cyrillic { text.chars().map(cyrillic).collect() } else { text.to_owned() }
}

fn cyrillic(c: char) -> char {
    match u32::from(c) {
        0xA8 => 'Ё',
        0xB8 => 'ё',
        0xB9 => '№',
        0x85 => '…',
        0x96 => '–',
        0x97 => '—',
        0xAF => 'Ї',
        0xBF => 'ї',
        0xB2 => 'І',
        0xB3 => 'і',
        0xAA => 'Є',
        0xBA => 'є',
        code @ 0xC0..=0xFF => char::from_u32(0x410 + code - 0xC0).unwrap_or(c),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn cyrillic_that_was_read_as_latin() {
        for (written, read) in [
            ("Äîáðûé äåíü", "Добрый день"),
            ("Êèíî - Ãðóïïà êðîâè (1988)", "Кино - Группа крови (1988)"),
            ("Ïåñíÿ ¹5", "Песня №5"),
            ("¸ëêà", "ёлка"),
        ] {
            assert_eq!(readable(written), read);
        }
        for kept in ["Señal", "Ægir", "Ö", "Où", "Été", "Добрый", "Motörhead", "日本", "", "Ñandú"]
        {
            assert_eq!(readable(kept), kept);
        }
    }
}
