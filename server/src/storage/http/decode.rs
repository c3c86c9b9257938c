//! Text of other servers, in whatever bytes it came.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// The text of a page. What is UTF-8 is read as that, whatever is said of it; else as the answer's
/// `Content-Type` says; else line by line, where those that are no UTF-8 are Windows-1252, of which
/// Latin-1 is a part: lists of television are put together from several.
pub(super) fn decoded(bytes: &[u8], content_type: Option<&str>) -> String {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned();
    }
    match bytes {
        [b'#', 0, ..] => return UTF_16LE.decode_without_bom_handling(bytes).0.into_owned(),
        [0, b'#', ..] => return UTF_16BE.decode_without_bom_handling(bytes).0.into_owned(),
        _ => {}
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    if let Some(encoding) = content_type.and_then(charset) {
        return encoding.decode_without_bom_handling(bytes).0.into_owned();
    }
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    lines.fold(String::with_capacity(bytes.len()), |mut text, line| {
        match std::str::from_utf8(line) {
            Ok(line) => text.push_str(line),
            Err(_) => text.push_str(&WINDOWS_1252.decode_without_bom_handling(line).0),
        }
        text
    })
}

/// The encoding that a `Content-Type` names, if it is another than UTF-8: the bytes are none.
fn charset(content_type: &str) -> Option<&'static Encoding> {
    let label = content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    let encoding = Encoding::for_label(label?.as_bytes());
    encoding.filter(|encoding| *encoding != encoding_rs::UTF_8)
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn text_is_read_as_it_was_written() {
        let utf16 = |text: &str, mark: bool| {
            let mark = if mark { "\u{FEFF}" } else { "" };
            format!("{mark}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()
        };
        let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
        for (bytes, content_type, text) in [
            ("#Ñandú".as_bytes().to_vec(), None, "#Ñandú"),
            ("\u{FEFF}#Ñandú".as_bytes().to_vec(), None, "#Ñandú"),
            ("#Ñandú".as_bytes().to_vec(), Some("audio/x-mpegurl; charset=ISO-8859-1"), "#Ñandú"),
            (b"#\xd1and\xfa".to_vec(), None, "#Ñandú"),
            (b"#\xd1and\xfa".to_vec(), Some("audio/x-mpegurl; charset=utf-8"), "#Ñandú"),
            (b"#\xd1and\xfa".to_vec(), Some("audio/x-mpegurl;Charset=\"latin1\""), "#Ñandú"),
            (b"#\x93Caf\xe9\x94 \x80".to_vec(), Some("text/plain"), "#“Café” €"),
            (
                b"#\xcd\xee\xe2\xee\xf1\xf2\xe8".to_vec(),
                Some("text/plain; charset=windows-1251"),
                "#Новости",
            ),
            (b"#\xc3\x91and\xc3\xba\n\xd1and\xfa\r\n".to_vec(), None, "#Ñandú\nÑandú\r\n"),
            (utf16("#Ñandú", true), None, "#Ñandú"),
            (utf16("#Ñandú", false), None, "#Ñandú"),
            (big("#Ñandú"), None, "#Ñandú"),
            (b"#\xff\xfe".to_vec(), Some("text/plain; charset=nonsense"), "#ÿþ"),
            (Vec::new(), None, ""),
        ] {
            assert_eq!(decoded(&bytes, content_type), text, "{bytes:?}");
        }
    }
}
