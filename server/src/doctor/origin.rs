//! The other servers, judged once: whether their lists can be read, and which of their channels cannot
//! be listed here.

use app::catalog::Kind;

use super::{
    Check, bucket,
    source::{judged, left_out},
};
use crate::{
    config::{Config, OriginUrl},
    sources::report::{self, RemoteConfig},
    storage::http::Origin,
};

/// Nothing where no server is set.
pub(super) async fn examine(config: &Config) -> Vec<Check> {
    let origins = &config.origins;
    let mut checks = Vec::new();
    for (name, url, kind) in
        [("video", &origins.video, Kind::Video), ("audio", &origins.audio, Kind::Audio)]
    {
        if let Some(url) = &url.0 {
            checks.extend(one(config, name, url, kind).await);
        }
    }
    if !checks.is_empty() && config.bucket.bucket_name.trim().is_empty() {
        checks.push(bucket::cache_folder(config).await);
    }
    checks
}

async fn one(config: &Config, name: &'static str, url: &OriginUrl, kind: Kind) -> Vec<Check> {
    let check = format!("{name} server");
    let origin = Origin::new(name, url, &config.origins.allow_private.0);
    let (address, refresh) = (url.url().clone(), config.bucket.refresh.0);
    let judge = async |edge| report::origin(RemoteConfig { edge, address, kind, refresh }).await;
    let (found, findings) = judged(origin, judge).await;
    let mut checks = vec![match found {
        Ok(count) => Check::ok(&check, format!("{count} of its channels can be played")),
        Err(trouble) => {
            let setting = if kind == Kind::Video { "VIDEO_ORIGIN" } else { "AUDIO_ORIGIN" };
            let fix =
                format!("check {setting}, that server, and the network between here and there");
            Check::fail(&check, trouble, fix)
        }
    }];
    checks.extend(left_out(&check, findings));
    checks
}
