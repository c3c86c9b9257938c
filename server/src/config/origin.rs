//! The settings of other servers whose channels are listed too.

use std::{fmt, str::FromStr};

use clap::Args;
use url::{Host, Url};

use super::{List, Optional, SettingError, list, optional};

/// Other servers whose channels are listed beside those of the streams folder: another Carrete, a
/// folder that a web server lists, or an M3U list.
#[derive(Args, Clone, Debug, Default)]
pub struct OriginSettings {
    /// Server with more videos: another Carrete, a folder that a web server lists, or an M3U list
    #[arg(
        long = "video-origin",
        env = "VIDEO_ORIGIN",
        hide_env_values = true,
        value_parser = optional::<OriginUrl>,
        default_value = ""
    )]
    pub video: Optional<OriginUrl>,

    /// Server with more music, of the same kinds
    #[arg(
        long = "audio-origin",
        env = "AUDIO_ORIGIN",
        hide_env_values = true,
        value_parser = optional::<OriginUrl>,
        default_value = ""
    )]
    pub audio: Optional<OriginUrl>,

    /// Servers in private networks that a list from elsewhere may name, as host or host:port by comma
    #[arg(
        long = "origin-allow-private",
        env = "ORIGIN_ALLOW_PRIVATE",
        value_parser = list::<Site>,
        default_value = ""
    )]
    pub allow_private: List<Site>,
}

/// The address of another server's list. What it holds of names, passwords and tokens is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct OriginUrl {
    url: Url,
    /// Name and password.
    login: Option<(String, String)>,
}

impl OriginUrl {
    /// Without name and password.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Name and password, for the server that wants them.
    pub fn login(&self) -> Option<(&str, &str)> {
        self.login.as_ref().map(|(name, password)| (name.as_str(), password.as_str()))
    }
}

impl fmt::Debug for OriginUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url.origin().ascii_serialization())
    }
}

impl FromStr for OriginUrl {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Whatever stands in it may be a password: it is not said again.
        let wrong = || SettingError("a server is written like http://nas.lan:8080/media/".into());
        let url = Url::parse(text.trim()).map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(wrong());
        }
        Ok(Self::of(&url))
    }
}

impl OriginUrl {
    /// An address, its name and password apart.
    pub fn of(url: &Url) -> Self {
        let mut url = url.clone();
        let decode = |text: &str| {
            percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
        };
        let login = (!url.username().is_empty())
            .then(|| (decode(url.username()), decode(url.password().unwrap_or_default())));
        // Neither fails for an address that has a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_fragment(None);
        Self { url, login }
    }
}

/// A server by host and, where one is given, port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    host: Host,
    port: Option<u16>,
}

impl Site {
    /// The server that an address leads to.
    pub fn of(url: &Url) -> Option<Self> {
        Some(Self { host: url.host()?.to_owned(), port: url.port_or_known_default() })
    }

    /// Whether an address leads there.
    pub fn holds(&self, url: &Url) -> bool {
        url.host().is_some_and(|host| host == self.host)
            && self.port.is_none_or(|port| url.port_or_known_default() == Some(port))
    }
}

impl FromStr for Site {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Before an @ may stand a password: it is not said again.
        let shown = text.rsplit('@').next().unwrap_or_default();
        let wrong = || SettingError(format!("{shown:?} is no server; write one like nas.lan:8080"));
        let (full, told) = if text.contains("://") {
            (text.to_owned(), true)
        } else {
            (format!("http://{text}"), false)
        };
        let url = Url::parse(&full).map_err(|_| wrong())?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && matches!(url.path(), "" | "/")
            && url.query().is_none();
        let host = url.host().filter(|_| plain).ok_or_else(wrong)?.to_owned();
        // `nas.lan:80` names the port, although it is the usual one.
        let port = url.port().or_else(|| {
            (told || text.ends_with(":80")).then(|| url.port_or_known_default()).flatten()
        });
        Ok(Self { host, port })
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::{OriginUrl, Site};

    #[test]
    fn passwords_are_taken_and_not_shown() {
        let wrong = "http://ana:secret@nas/".parse::<Site>().expect_err("no server");
        assert!(!wrong.to_string().contains("secret") && wrong.to_string().contains("nas"));
        let origin: OriginUrl =
            "https://ana:s%40cret@tv.example/get?token=hush#x".parse().expect("an address");
        assert_eq!(origin.login(), Some(("ana", "s@cret")));
        assert_eq!(origin.url().as_str(), "https://tv.example/get?token=hush");
        assert_eq!(format!("{origin:?}"), "https://tv.example");
        for bad in ["tv.example", "ftp://tv.example", "http://", "/list.m3u"] {
            assert!(bad.parse::<OriginUrl>().is_err(), "{bad:?}");
        }
        let told = "http://ana:hush@".parse::<OriginUrl>().expect_err("no address").to_string();
        assert!(!told.contains("hush"), "{told}");
    }

    #[test]
    fn sites_are_compared_with_their_port() {
        for (site, url, holds) in [
            ("nas.lan", "http://nas.lan:8080/x", true),
            ("NAS.lan:8080", "http://nas.lan:8080/x", true),
            ("nas.lan:80", "http://nas.lan/x", true),
            ("nas.lan:80", "http://nas.lan:8080/x", false),
            ("https://nas.lan", "https://nas.lan/x", true),
            ("https://nas.lan", "http://nas.lan/x", false),
            ("10.0.0.1", "http://0xa.1/x", true),
            ("[::1]:9", "http://[0::1]:9/", true),
            ("nas.lan", "http://nas.lan.example/", false),
        ] {
            let (site, url) = (site.parse::<Site>(), Url::parse(url).expect("an address"));
            assert_eq!(site.map(|site| site.holds(&url)), Ok(holds), "{url}");
        }
        for bad in ["", "a b", "nas.lan/x", "10.0.0.0/8", "ftp://nas.lan"] {
            assert!(bad.parse::<Site>().is_err(), "{bad:?}");
        }
    }
}
