//! What the operator set: flags over environment over `.env` over default, read once at start.

mod bucket;
mod origin;

use std::{fmt, net::IpAddr, num::NonZeroU32, path::PathBuf, str::FromStr, time::Duration};

use clap::Args;
use ipnet::IpNet;

pub use self::{
    bucket::{BucketSettings, CacheSettings, Delivery, FolderPath, Seconds, Secret, Size},
    origin::{OriginSettings, OriginUrl, Site},
};

/// The settings of `carrete serve`; every flag has an environment variable.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// Address to listen on
    #[arg(long, env = "HOST", default_value = "0.0.0.0")]
    pub host: IpAddr,

    /// Port to listen on
    #[arg(long, env = "PORT", default_value_t = 8080)]
    pub port: u16,

    #[command(flatten)]
    /// Where things lie on this host.
    pub folders: Folders,

    #[command(flatten)]
    /// More channels, in a bucket.
    pub bucket: BucketSettings,

    #[command(flatten)]
    /// More channels, on other servers.
    pub origins: OriginSettings,

    #[command(flatten)]
    /// What is kept of other hosts.
    pub cache: CacheSettings,

    #[command(flatten)]
    /// Who reaches it, and how.
    pub network: NetworkSettings,

    #[command(flatten)]
    /// The chat.
    pub chat: ChatSettings,
}

/// By which addresses the server is reached, and by whom.
#[derive(Args, Clone, Debug)]
pub struct NetworkSettings {
    /// Address under which people reach this server, for QR codes and shared links
    #[arg(long, env = "PUBLIC_URL", value_parser = optional::<PublicUrl>, default_value = "")]
    pub public_url: Optional<PublicUrl>,

    /// Proxies whose X-Forwarded-* headers count, as CIDRs by comma; none: the headers are ignored
    #[arg(long, env = "TRUSTED_PROXIES", value_parser = list::<Cidr>, default_value = "")]
    pub trusted_proxies: List<Cidr>,

    /// Other sites whose pages may use the API and the socket, as origins by comma
    #[arg(long, env = "CORS_ORIGINS", value_parser = list::<Origin>, default_value = "")]
    pub cors_origins: List<Origin>,

    /// Whether the kernel sends files by itself (1), or they pass through this program (0)
    #[arg(long, env = "SENDFILE", default_value = "1")]
    pub sendfile: Switch,
}

impl Default for NetworkSettings {
    fn default() -> Self {
        Self {
            public_url: Optional::default(),
            trusted_proxies: List::default(),
            cors_origins: List::default(),
            sendfile: Switch(true),
        }
    }
}

/// On or off: 1 or 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch(pub bool);

impl FromStr for Switch {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "1" | "true" => Ok(Self(true)),
            "0" | "false" => Ok(Self(false)),
            _ => Err(SettingError("write 1 for on, or 0 for off".into())),
        }
    }
}

/// What the chat admits.
#[derive(Args, Clone, Debug)]
pub struct ChatSettings {
    /// Chat messages per person: count/seconds
    #[arg(long = "chat-rate", env = "CHAT_RATE", default_value = "5/10")]
    pub rate: Rate,

    /// Chat messages per address: count/seconds
    #[arg(long = "chat-rate-address", env = "CHAT_RATE_ADDRESS", default_value = "500/10")]
    pub rate_address: Rate,
}

/// Where things lie on this host.
#[derive(Args, Clone, Debug)]
pub struct Folders {
    /// Folder whose sub-folders and media files are the channels
    #[arg(long = "streams-dir", env = "STREAMS_DIR", default_value = "streams")]
    pub streams: PathBuf,

    /// Folder for what the server itself keeps
    #[arg(long = "data-dir", env = "DATA_DIR", default_value = "data")]
    pub data: PathBuf,
}

/// A value that may be left empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Optional<T>(pub Option<T>);

impl<T> Default for Optional<T> {
    fn default() -> Self {
        Self(None)
    }
}

/// Values separated by commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

fn optional<T: FromStr>(text: &str) -> Result<Optional<T>, T::Err> {
    let text = text.trim();
    if text.is_empty() {
        Ok(Optional(None))
    } else {
        text.parse().map(|value| Optional(Some(value)))
    }
}

fn list<T: FromStr>(text: &str) -> Result<List<T>, T::Err> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map(List)
}

/// Why a setting was refused, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingError(String);

/// The highest count of a rate, and the longest time: a day.
const COUNT_MAX: u32 = 1_000_000;
const SECONDS_MAX: u32 = 86_400;

/// So many in so many seconds, written `count/seconds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In how long.
    pub per: Duration,
}

impl FromStr for Rate {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            let most = format!("up to {COUNT_MAX}/{SECONDS_MAX}");
            SettingError(format!("a rate is written count/seconds, like 5/10, {most}"))
        };
        let number = |text: &str, most: u32| {
            let number =
                text.trim().parse().ok().filter(|number: &NonZeroU32| number.get() <= most);
            number.ok_or_else(wrong)
        };
        let (count, seconds) = text.split_once('/').ok_or_else(wrong)?;
        let seconds = number(seconds, SECONDS_MAX)?;
        let per = Duration::from_secs(seconds.get().into());
        Ok(Self { count: number(count, COUNT_MAX)?, per })
    }
}

/// A network, or one address, in CIDR notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr(pub IpNet);

impl FromStr for Cidr {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<IpNet>()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
            .map(Self)
            .map_err(|_| SettingError(format!("{text:?} is no network; write one like 10.0.0.0/8")))
    }
}

/// The authority of an origin: host and port without the scheme's default port, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Authority(String);

impl Authority {
    /// Takes the authority of an `Origin` or of a `Host` header. `:80` and `:443` are dropped,
    /// because TLS may end at a proxy and the scheme is not compared.
    pub fn of(text: &str) -> Option<Self> {
        let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next()?.to_ascii_lowercase();
        let authority =
            authority.strip_suffix(":80").or(authority.strip_suffix(":443")).unwrap_or(&authority);
        let parsed: http::uri::Authority = authority.parse().ok()?;
        (!parsed.host().is_empty() && !authority.contains('@')).then(|| Self(authority.to_owned()))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A web origin: scheme and authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    text: String,
    authority: Authority,
}

impl Origin {
    /// `scheme://authority`, as a browser writes it in `Origin`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What the socket compares.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }
}

impl FromStr for Origin {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = PublicUrl::from_str(text)?;
        let authority = Authority::of(url.as_str()).ok_or_else(|| {
            SettingError(format!("{text:?} is no origin; write one like https://tv.example"))
        })?;
        Ok(Self { text: url.0, authority })
    }
}

/// `http://` or `https://`, an authority, and nothing behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// Without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PublicUrl {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong =
            || SettingError(format!("{text:?} is no address; write one like https://tv.example"));
        let uri: http::Uri = text.trim_end_matches('/').parse().map_err(|_| wrong())?;
        let plain = matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some_and(|a| !a.host().is_empty() && !a.as_str().contains('@'))
            && uri.path() == "/"
            && uri.query().is_none();
        if plain { Ok(Self(text.trim_end_matches('/').to_ascii_lowercase())) } else { Err(wrong()) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Authority, PublicUrl, Rate};

    #[test]
    fn rates_are_count_and_seconds() {
        assert!(
            "5/10"
                .parse::<Rate>()
                .is_ok_and(|rate| rate.count.get() == 5 && rate.per.as_secs() == 10)
        );
        for bad in [
            "",
            "5",
            "0/10",
            "5/0",
            "-1/10",
            "5/10/2",
            "a/b",
            "1000001/1",
            "1/86401",
            "4294967296/1",
        ] {
            assert!(bad.parse::<Rate>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn authorities_are_compared_without_scheme_and_default_port() {
        for (a, b) in [
            ("http://tv.lan", "TV.lan:80"),
            ("https://tv.lan", "tv.lan:443"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            assert_eq!(Authority::of(a), Authority::of(b), "{a} {b}");
        }
        assert_ne!(Authority::of("http://tv.lan:8080"), Authority::of("tv.lan"));
        assert_eq!(Authority::of("null").map(|a| a.as_str().to_owned()), Some("null".into()));
        assert_eq!(Authority::of("http://user@tv.lan"), None);
    }

    #[test]
    fn a_public_url_is_an_origin() {
        assert!(
            "https://tv.example/"
                .parse::<PublicUrl>()
                .is_ok_and(|url| url.as_str() == "https://tv.example")
        );
        for bad in ["tv.example", "ftp://tv.example", "https://tv.example/app", "https://"] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad:?}");
        }
    }
}
