//! The settings of the bucket and of the cache before it.

use std::{convert::Infallible, fmt, path::PathBuf, str::FromStr, time::Duration};

use clap::Args;

use super::{Folders, Optional, SettingError, optional};
use crate::data_dir::DataDir;

/// A bucket whose channels are listed beside those of the streams folder.
#[derive(Args, Clone, Debug, Default)]
pub struct BucketSettings {
    /// Bucket with more channels, laid out like the streams folder; empty: none
    #[arg(long = "bucket-name", env = "BUCKET_NAME", default_value = "")]
    pub bucket_name: String,

    /// Folder in the bucket that holds the channels; empty: the whole bucket
    #[arg(long = "bucket-prefix", env = "BUCKET_PREFIX", default_value = "")]
    pub prefix: String,

    /// Region of the bucket
    #[arg(long = "aws-region", env = "AWS_REGION", default_value = "us-east-1")]
    pub region: String,

    /// Address of an S3-compatible store that is not Amazon's, like `http://minio.lan:9000`
    #[arg(
        long = "aws-endpoint-url",
        env = "AWS_ENDPOINT_URL",
        value_parser = optional::<StoreUrl>,
        default_value = ""
    )]
    pub endpoint_url: Optional<StoreUrl>,

    /// Who asks the bucket
    #[arg(
        long = "aws-access-key-id",
        env = "AWS_ACCESS_KEY_ID",
        hide_env_values = true,
        default_value = ""
    )]
    pub access_key_id: Secret,

    /// Proof of it
    #[arg(
        long = "aws-secret-access-key",
        env = "AWS_SECRET_ACCESS_KEY",
        hide_env_values = true,
        default_value = ""
    )]
    pub secret_access_key: Secret,

    /// What belongs to keys that were given for a while
    #[arg(
        long = "aws-session-token",
        env = "AWS_SESSION_TOKEN",
        hide_env_values = true,
        default_value = ""
    )]
    pub session_token: Secret,

    /// Who gives segments and bare files of the bucket to players: edge (this server, through its
    /// cache) or redirect (the bucket itself)
    #[arg(long = "s3-delivery", env = "S3_DELIVERY", default_value = "edge")]
    pub delivery: Delivery,

    /// How often the bucket and other servers are listed again, in seconds
    #[arg(long = "source-refresh-s", env = "SOURCE_REFRESH_S", default_value = "30")]
    pub refresh: Seconds,
}

impl BucketSettings {
    /// What is missing to use the bucket, as one sentence; `None` where none is set or all is well.
    pub fn missing(&self) -> Option<String> {
        if self.bucket_name.trim().is_empty() {
            return None;
        }
        let empty = [
            ("AWS_ACCESS_KEY_ID", &self.access_key_id),
            ("AWS_SECRET_ACCESS_KEY", &self.secret_access_key),
        ];
        let (name, _) = empty.into_iter().find(|(_, secret)| secret.0.is_empty())?;
        Some(format!("BUCKET_NAME is set and {name} is not; set both, or neither"))
    }
}

/// Who gives the media of a bucket to players.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// This server, from its cache.
    #[default]
    CachedStore,
    /// The bucket, or a CDN before it: players are led there.
    Redirect,
}

impl FromStr for Delivery {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            "" | "edge" => Ok(Self::CachedStore),
            "redirect" => Ok(Self::Redirect),
            _ => Err(SettingError("the media of a bucket come by edge or by redirect".into())),
        }
    }
}

/// Where what comes from other hosts is kept.
#[derive(Args, Clone, Debug, Default)]
pub struct CacheSettings {
    /// Folder for what was fetched from elsewhere; empty: a folder in DATA_DIR
    #[arg(long = "cache-dir", env = "CACHE_DIR", value_parser = optional::<FolderPath>, default_value = "")]
    pub folder: Optional<FolderPath>,

    /// The most that is kept there: bytes, or with K, M or G
    #[arg(long = "cache-max-bytes", env = "CACHE_MAX_BYTES", default_value = "10G")]
    pub max: Size,
}

/// Address of a store: `http://` or `https://`, a host, perhaps a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreUrl(String);

impl StoreUrl {
    /// Without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StoreUrl {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim_end_matches('/');
        let wrong = || {
            // Whatever stands before an @ is a password: it is not said again.
            SettingError("an address of a store is written like http://minio.lan:9000".into())
        };
        let uri: http::Uri = text.parse().map_err(|_| wrong())?;
        let plain = matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some_and(|a| !a.host().is_empty() && !a.as_str().contains('@'))
            && uri.query().is_none();
        if plain { Ok(Self(text.to_owned())) } else { Err(wrong()) }
    }
}

impl CacheSettings {
    /// The folder, as it is set or as it follows from the others.
    pub fn folder(&self, folders: &Folders) -> PathBuf {
        self.folder
            .0
            .as_ref()
            .map_or_else(|| DataDir::new(&folders.data).cache(), |set| set.0.clone())
    }
}

/// A folder of this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderPath(pub PathBuf);

impl FromStr for FolderPath {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.into()))
    }
}

/// What must not be seen: it shows as a few stars wherever it is printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret itself, for the one that has to be told.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.trim().to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "***" })
    }
}

/// The longest time that can be set: a year.
const SECONDS_MAX: u64 = 365 * 24 * 3600;
/// The most bytes that can be set: an exbibyte.
const BYTES_MAX: u64 = 1 << 60;

/// A time of whole seconds, at least one, at most a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(pub Duration);

impl Default for Seconds {
    fn default() -> Self {
        Self(Duration::from_secs(30))
    }
}

impl FromStr for Seconds {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seconds = text.trim().parse().ok();
        let seconds = seconds.filter(|seconds| (1..=SECONDS_MAX).contains(seconds));
        let seconds = seconds.ok_or_else(|| {
            let range = format!("from 1 to {SECONDS_MAX}, which is a year");
            SettingError(format!("a time is written in whole seconds, like 30, {range}"))
        })?;
        Ok(Self(Duration::from_secs(seconds)))
    }
}

/// A number of bytes, written as it is or with `K`, `M` or `G`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

impl Default for Size {
    fn default() -> Self {
        Self(10 << 30)
    }
}

impl FromStr for Size {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let (digits, shift) = match text.chars().next_back().map(|c| c.to_ascii_uppercase()) {
            Some('K') => (&text[..text.len() - 1], 10),
            Some('M') => (&text[..text.len() - 1], 20),
            Some('G') => (&text[..text.len() - 1], 30),
            _ => (text, 0),
        };
        let number: Option<u64> = digits.trim().parse().ok();
        let bytes = number.and_then(|number| number.checked_mul(1 << shift));
        bytes.filter(|bytes| *bytes <= BYTES_MAX).map(Self).ok_or_else(|| {
            let most = BYTES_MAX >> 30;
            let how = "a size is written in bytes, or with K, M or G, like 512M";
            SettingError(format!("{how}, up to {most}G"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{BucketSettings, Delivery, Seconds, Secret, Size};

    #[test]
    fn sizes_and_times() {
        for (text, bytes) in
            [("0", Some(0)), ("512", Some(512)), ("2k", Some(2048)), ("1 G", Some(1 << 30))]
        {
            assert_eq!(text.parse().ok(), bytes.map(Size), "{text}");
        }
        for bad in
            ["", "G", "-1", "1.5M", "1T", "99999999999G", "1073741825G", "18446744073709551615"]
        {
            assert!(bad.parse::<Size>().is_err(), "{bad:?}");
        }
        assert_eq!("".parse(), Ok(Delivery::CachedStore));
        assert_eq!("redirect".parse(), Ok(Delivery::Redirect));
        assert!("cdn".parse::<Delivery>().is_err());
        assert!("30".parse::<Seconds>().is_ok());
        assert!("31536000".parse::<Seconds>().is_ok());
        let too_long = ["31536001", "1000000000000", "9223372036854775807", "18446744073709551615"];
        for bad in ["", "0", "1s", "-1", "18446744073709551616"].into_iter().chain(too_long) {
            assert!(bad.parse::<Seconds>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn secrets_are_not_shown_and_are_missed() {
        let secret = |text: &str| text.parse::<Secret>().unwrap_or_default();
        let mut settings = BucketSettings { bucket_name: "films".into(), ..Default::default() };
        settings.access_key_id = secret("AKIAVERYSECRET");
        assert!(settings.missing().is_some_and(|why| why.contains("AWS_SECRET_ACCESS_KEY")));
        settings.secret_access_key = secret("hush");
        assert_eq!(settings.missing(), None);
        let shown = format!("{settings:?}");
        assert!(!shown.contains("hush") && !shown.contains("AKIA"), "{shown}");
        assert_eq!(BucketSettings::default().missing(), None);
    }
}
