//! Addresses inside playlists: which file of the channel's folder one names, and how it is written
//! with its version. Nothing that leaves the folder gets through.

use app::catalog::encode_segment;
use percent_encoding::percent_decode_str;

/// Why an address of a playlist is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it names something outside of its folder")]
pub struct Outside;

/// A file inside the channel's folder: names joined by `/`, without `.`, `..` and empty ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    /// The file that a browser would ask for.
    pub path: String,
    /// The file of exactly this name: ffmpeg writes names with `%`, `?` and `#` as they are.
    pub literal: Option<String>,
}

/// Resolves `uri` as written in the playlist `from` (a path inside the channel's folder).
///
/// Follows RFC 3986 §5.2 and, where browsers are more generous (WHATWG URL: backslashes, tabs),
/// refuses what they would read differently.
pub fn resolve(from: &str, uri: &str) -> Result<Inside, Outside> {
    if uri.is_empty() || uri.contains(|c: char| c == '\\' || c.is_control()) {
        return Err(Outside);
    }
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = &uri[..uri.find(['?', '#']).unwrap_or(uri.len())];
    let literal = uri.contains(['%', '?', '#']).then(|| join(folder, uri, false).ok()).flatten();
    Ok(Inside { path: join(folder, path, true)?, literal })
}

/// The address with `v` appended to its query, before a fragment.
pub fn versioned(uri: &str, v: &str) -> String {
    let (address, fragment) = uri.split_at(uri.find('#').unwrap_or(uri.len()));
    let join = if address.contains('?') { '&' } else { '?' };
    format!("{address}{join}v={v}{fragment}")
}

/// The address of a file by its names, relative to the folder of the playlist `from`.
pub fn encoded(from: &str, path: &str) -> String {
    let mut address = String::new();
    let mut path = path;
    let folder = from.rfind('/').map_or("", |slash| &from[..=slash]);
    if let Some(beside) = path.strip_prefix(folder) {
        path = beside;
    } else {
        address.push_str(&"../".repeat(folder.matches('/').count()));
    }
    for (n, name) in path.split('/').enumerate() {
        if n > 0 {
            address.push('/');
        }
        address.push_str(&encode_segment(name));
    }
    address
}

fn join(folder: &str, path: &str, decode: bool) -> Result<String, Outside> {
    if path.starts_with('/') || path.split('/').next().is_some_and(|first| first.contains(':')) {
        return Err(Outside);
    }
    let mut names: Vec<String> =
        folder.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    for written in path.split('/') {
        let name = if decode {
            percent_decode_str(written).decode_utf8().map_err(|_| Outside)?.into_owned()
        } else {
            written.to_owned()
        };
        match &*name {
            "" | "." => {}
            ".." => {
                names.pop().ok_or(Outside)?;
            }
            _ if name.starts_with('.') => return Err(Outside),
            _ if name.contains(|c: char| c == '/' || c == '\\' || c.is_control()) => {
                return Err(Outside);
            }
            _ => names.push(name),
        }
    }
    if names.is_empty() { Err(Outside) } else { Ok(names.join("/")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Outside, encoded, resolve, versioned};

    fn check(from: &str, uri: &str, expected: Option<&str>) {
        let found = resolve(from, uri).ok().map(|inside| inside.path);
        assert_eq!(found.as_deref(), expected, "{uri:?} in {from:?}");
    }

    #[test]
    fn addresses_stay_in_the_folder() {
        check("playlist.m3u8", "a.ts", Some("a.ts"));
        check("playlist.m3u8", "./x/../a.ts?token=1#t=2", Some("a.ts"));
        check("playlist.m3u8", "a%C3%B1o%20nuevo.ts", Some("año nuevo.ts"));
        check("hi/index.m3u8", "seg 1.ts", Some("hi/seg 1.ts"));
        check("hi/index.m3u8", "../lo/1.ts", Some("lo/1.ts"));
        for bad in [
            "",
            "..",
            "../a.ts",
            "x/../../a.ts",
            "%2e%2e/a.ts",
            "..%2fa.ts",
            "%2E./a.ts",
            "/etc/passwd",
            "//host/a.ts",
            "http://host/a.ts",
            "file:///etc/passwd",
            "data:text/plain,x",
            "c:/a.ts",
            "..\\a.ts",
            "%5c..%5ca.ts",
            "a%00.ts",
            "%ff.ts",
            ".env",
            "x/.env",
            "\thttp://host/",
        ] {
            check("playlist.m3u8", bad, None);
        }
        assert_eq!(resolve("hi/index.m3u8", "../../x.ts"), Err(Outside));
    }

    #[test]
    fn names_that_ffmpeg_does_not_encode() {
        let inside = resolve("playlist.m3u8", "100%25?.ts");
        assert_eq!(inside.map(|i| i.literal), Ok(Some("100%25?.ts".into())));
        assert_eq!(encoded("hi/index.m3u8", "hi/100%?.ts"), "100%25%3F.ts");
        assert_eq!(encoded("hi/index.m3u8", "lo/100%.ts"), "../lo/100%25.ts");
    }

    #[test]
    fn a_version_is_appended() {
        for (uri, expected) in [
            ("a.ts", "a.ts?v=1"),
            ("a.ts?x=2", "a.ts?x=2&v=1"),
            ("a.ts#t", "a.ts?v=1#t"),
            ("a.ts?x#t", "a.ts?x&v=1#t"),
        ] {
            assert_eq!(versioned(uri, "1"), expected);
        }
    }

    proptest! {
        #[test]
        fn no_address_leaves(uri in "([a-z./%:\\\\?#]|%2e|%2f|%5c|\\.\\./){0,40}") {
            if let Ok(inside) = resolve("x/playlist.m3u8", &uri) {
                for path in inside.literal.iter().chain([&inside.path]) {
                    prop_assert!(!path.starts_with('/') && !path.contains('\\'));
                    prop_assert!(path.split('/').all(|name| !name.is_empty() && !name.starts_with('.')));
                }
            }
        }
    }
}
