//! The other servers, judged once: whether their lists can be read, and which of their channels cannot
//! be listed here.

use std::sync::Arc;

use app::catalog::Kind;
use tokio_util::sync::CancellationToken;

use super::{Check, bucket};
use crate::{
    catalog::report::{self, Finding, OriginSource},
    config::{Config, OriginUrl},
    storage::{
        edge::{Edge, Shelf},
        origin::Origin,
    },
};

/// The most that is kept while they are judged.
const KEPT_MAX: u64 = 64 << 20;

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
    // What is found here is nobody else's: it goes with the folder.
    let place = format!("carrete-doctor-{}-{name}", std::process::id());
    let folder = std::env::temp_dir().join(place);
    let origin = Origin::new(name, url, &config.origins.allow_private.0);
    let stop = CancellationToken::new();
    let source = OriginSource {
        edge: Edge::new(Arc::new(origin), Shelf::new(&folder, KEPT_MAX), stop.clone()),
        address: url.url().clone(),
        kind,
        refresh: config.bucket.refresh.0,
    };
    let (found, left_out) = report::origin(source).await;
    stop.cancel();
    // It may never have been made.
    let _ = tokio::fs::remove_dir_all(&folder).await;
    let mut checks = vec![match found {
        Ok(count) => Check::ok(&check, format!("{count} of its channels can be listed")),
        Err(trouble) => {
            let setting = if kind == Kind::Video { "VIDEO_ORIGIN" } else { "AUDIO_ORIGIN" };
            let fix =
                format!("check {setting}, that server, and the network between here and there");
            Check::fail(&check, trouble, fix)
        }
    }];
    let left_out = left_out.into_iter();
    checks.extend(left_out.map(|finding| {
        let Finding { name, message, fix } = finding;
        Check::fail(&format!("{check} {name:?}"), message, fix)
    }));
    checks
}
