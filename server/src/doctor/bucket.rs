//! The bucket and the cache before it, judged once: what is set, whether it can be listed and read,
//! and whether what comes from it can be kept.

use tokio::task::spawn_blocking;

use super::Check;
use crate::{
    config::Config,
    storage::{Object, Store, StoreError, edge::Shelf, s3::Bucket},
};

/// Nothing where no bucket is set.
pub(super) async fn examine(config: &Config) -> Vec<Check> {
    let Some(bucket) = Bucket::new(&config.bucket) else { return Vec::new() };
    let mut checks = vec![match config.bucket.missing() {
        Some(missing) => Check::fail("bucket", missing, "copy both from where the bucket is"),
        None => reads(&bucket).await,
    }];
    checks.push(cache_folder(config).await);
    checks
}

/// Whether what comes from elsewhere can be kept.
pub(super) async fn cache_folder(config: &Config) -> Check {
    let folder = config.cache.folder(&config.folders);
    let shown = folder.display().to_string();
    let shelf = Shelf::new(&folder, config.cache.max.0);
    let usable = spawn_blocking(move || shelf.usable()).await;
    match usable {
        Ok(Ok(())) => Check::ok("cache folder", format!("{shown} can be written")),
        Ok(Err(error)) => Check::fail(
            "cache folder",
            format!("{shown} cannot be written: {}", error.kind()),
            "let this user write there, or set CACHE_DIR",
        ),
        Err(_) => Check::fail("cache folder", "it cannot be looked at", "try again"),
    }
}

/// Lists the bucket and reads a byte of it.
async fn reads(bucket: &Bucket) -> Check {
    let name = bucket.label();
    let objects = match bucket.list().await {
        Ok(objects) => objects,
        Err(error) => return told(&name, error),
    };
    let some = objects.iter().find(|object| object.stamp.size > 0);
    if let Some(Object { key, stamp }) = some
        && let Err(error) = bucket.read(key, *stamp, 0..1).await
        && !matches!(error, StoreError::Gone | StoreError::Changed)
    {
        return told(&name, error);
    }
    Check::ok(&name, format!("{} objects can be listed and read", objects.len()))
}

fn told(name: &str, error: StoreError) -> Check {
    match error {
        StoreError::Refused(refusal) => Check::fail(name, refusal.what, refusal.fix),
        other => Check::fail(
            name,
            other.to_string(),
            "check AWS_ENDPOINT_URL and AWS_REGION, and the network between here and there",
        ),
    }
}
