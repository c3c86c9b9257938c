//! The ThumbHash of a poster: what stands in its place, blurred, before it is loaded.

use base64::{Engine, prelude::BASE64_STANDARD};

/// The largest side that the hash is defined for.
const SIDE_MAX: usize = 100;

/// In base64, of a picture in PAM with four channels of eight bits.
pub(super) fn of_pam(bytes: &[u8]) -> Option<String> {
    const END: &[u8] = b"ENDHDR\n";
    let end = bytes.windows(END.len()).position(|window| window == END)?;
    let header = std::str::from_utf8(&bytes[..end]).ok()?;
    let pixels = &bytes[end + END.len()..];
    let mut lines = header.lines();
    if lines.next() != Some("P7") {
        return None;
    }
    let (mut width, mut height) = (0, 0);
    for line in lines {
        match line.split_once(' ')? {
            ("WIDTH", value) => width = value.parse().ok()?,
            ("HEIGHT", value) => height = value.parse().ok()?,
            ("DEPTH", value) if value != "4" => return None,
            ("MAXVAL", value) if value != "255" => return None,
            _ => {}
        }
    }
    let sides = 1..=SIDE_MAX;
    if !sides.contains(&width) || !sides.contains(&height) || pixels.len() != width * height * 4 {
        return None;
    }
    Some(BASE64_STANDARD.encode(thumbhash::rgba_to_thumb_hash(width, height, pixels)))
}

#[cfg(test)]
mod tests {
    use super::of_pam;

    fn pam(width: usize, height: usize, pixels: usize) -> Vec<u8> {
        let header = format!(
            "P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
        );
        [header.as_bytes(), &[200, 40, 30, 255].repeat(pixels)].concat()
    }

    #[test]
    fn a_red_picture_has_a_red_hash() {
        let hash = of_pam(&pam(10, 20, 200)).expect("a hash");
        let bytes =
            base64::Engine::decode(&base64::prelude::BASE64_STANDARD, hash).expect("base64");
        let (red, green, blue, _) =
            thumbhash::thumb_hash_to_average_rgba(&bytes).expect("a hash of it");
        assert!(red > 0.6 && green < 0.3 && blue < 0.3, "{red} {green} {blue}");
    }

    #[test]
    fn what_is_no_such_picture_has_none() {
        for bad in [pam(10, 20, 199), pam(101, 2, 202), pam(0, 0, 0), b"P6\nENDHDR\n".to_vec()] {
            assert_eq!(of_pam(&bad), None);
        }
        assert_eq!(of_pam(b""), None);
    }
}
