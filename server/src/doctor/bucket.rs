//! The bucket and the cache before it, judged once: what is set, what may be done there, and whether
//! what comes from it can be kept.

use std::time::{Duration, SystemTime};

use app::catalog::Source;
use tokio::task::spawn_blocking;

use super::{
    Check,
    source::{judged, left_out},
};
use crate::{
    addresses,
    cache::DiskCache,
    config::{Config, Delivery},
    sources::report::{self, BucketConfig},
    storage::{
        Object, Refusal, Store, StoreError,
        s3::{Bucket, ResponseHeaders},
    },
};

/// By so much the clocks here and there may differ: stores refuse what is signed a quarter of an
/// hour off, and addresses for players hold for a while only.
const SKEW: Duration = Duration::from_secs(60);

/// Nothing where no bucket is set.
pub(super) async fn examine(config: &Config) -> Vec<Check> {
    let Some(bucket) = Bucket::new(&config.bucket) else { return Vec::new() };
    let mut checks = of_bucket(config, &bucket).await;
    checks.push(cache_folder(config).await);
    checks
}

async fn of_bucket(config: &Config, bucket: &Bucket) -> Vec<Check> {
    if let Some(missing) = config.bucket.missing() {
        return vec![Check::fail("bucket", missing, "copy both from where the bucket is")];
    }
    let reads = reads(bucket).await;
    if !reads.ok {
        // Whatever else is wrong follows from that.
        return vec![reads];
    }
    let mut checks = vec![reads, writes(bucket).await];
    checks.extend(channels(config).await);
    let page = page_origin(config);
    match bucket.hear(&page).await {
        Ok(aside) => {
            checks.extend(clock(&aside, SystemTime::now()));
            if config.bucket.delivery == Delivery::Redirect {
                checks.push(cors(&aside, &page));
            }
        }
        Err(error) => checks.push(told(&bucket.label(), error)),
    }
    checks
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

/// Every channel of the bucket, and what is wrong with those that cannot be listed.
async fn channels(config: &Config) -> Vec<Check> {
    let Some(bucket) = Bucket::new(&config.bucket) else { return Vec::new() };
    let name = bucket.label();
    let (source, refresh) = (Source::S3, config.bucket.refresh.0);
    let judge = async |edge| report::bucket(BucketConfig { edge, source, refresh }).await;
    let (found, findings) = judged(bucket, judge).await;
    let told = match found {
        Ok(count) => {
            Check::ok(&format!("{name}, channels"), format!("{count} of them can be played"))
        }
        Err(trouble) => Check::fail(&name, trouble, "run this again when it answers"),
    };
    std::iter::once(told).chain(left_out(&format!("{name},"), findings)).collect()
}

/// Serving needs no more than reading, so that writing is not allowed is no fault.
async fn writes(bucket: &Bucket) -> Check {
    const NAME: &str = "bucket, writing";
    match bucket.try_writing().await {
        Ok(()) => Check::ok(NAME, "carrete push can write there"),
        Err(StoreError::Refused(refusal)) => {
            let Refusal { what, fix } = refusal;
            Check::ok(NAME, format!("{what}, which serving does not need; for carrete push, {fix}"))
        }
        Err(error) => told(NAME, error),
    }
}

/// The clocks here and there.
fn clock(aside: &ResponseHeaders, now: SystemTime) -> Option<Check> {
    const NAME: &str = "bucket, clock";
    let there = aside.date?;
    let (apart, side) = match now.duration_since(there) {
        Ok(apart) => (apart, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    let seconds = apart.as_secs();
    Some(if apart <= SKEW {
        Check::ok(NAME, "this host and the store agree on the time")
    } else {
        Check::fail(
            NAME,
            format!("this host is {seconds} s {side} the store, which refuses what is signed so"),
            "set this host's clock, or let NTP set it (timedatectl set-ntp true)",
        )
    })
}

/// Whether pages may read what players are led to.
fn cors(aside: &ResponseHeaders, page: &str) -> Check {
    const NAME: &str = "bucket, S3_DELIVERY=redirect";
    if aside.lets(page) {
        return Check::ok(NAME, format!("pages of {page} may read the bucket"));
    }
    Check::fail(
        NAME,
        format!("browsers will not let pages of {page} read the bucket"),
        format!(
            "give the bucket the CORS rule {{\"AllowedOrigins\": [\"{page}\"], \"AllowedMethods\": \
             [\"GET\", \"HEAD\"], \"AllowedHeaders\": [\"*\"], \"ExposeHeaders\": \
             [\"Content-Range\", \"ETag\"]}}, or set S3_DELIVERY=edge"
        ),
    )
}

/// The origin that pages most likely have.
fn page_origin(config: &Config) -> String {
    let lan = || addresses::lan((config.host, config.port).into()).into_iter().next();
    let public = config.network.public_url.0.as_ref().map(|url| url.as_str().to_owned());
    public.or_else(lan).unwrap_or_else(|| format!("http://localhost:{}", config.port))
}

/// Whether what comes from elsewhere can be kept.
pub(super) async fn cache_folder(config: &Config) -> Check {
    const NAME: &str = "cache folder";
    let folder = config.cache.folder(&config.folders);
    let shown = folder.display().to_string();
    let shelf = DiskCache::to_read(&folder);
    match spawn_blocking(move || shelf.usable()).await {
        Ok(Ok(())) => Check::ok(NAME, format!("{shown} can be written")),
        Ok(Err(error)) => Check::fail(
            NAME,
            format!("{shown} cannot be written: {}", error.kind()),
            "let this user write there, or set CACHE_DIR",
        ),
        Err(_) => Check::fail(NAME, "it cannot be looked at", "try again"),
    }
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{ResponseHeaders, clock, cors};

    #[test]
    fn clocks_that_differ_are_told() {
        let now = SystemTime::now();
        let minutes = |n: u64| Duration::from_secs(n * 60);
        let judged = |date| {
            clock(&ResponseHeaders { date: Some(date), allows: None }, now).expect("a check")
        };
        assert!(judged(now - Duration::from_secs(30)).ok);
        for (date, side) in [(now - minutes(20), "ahead of"), (now + minutes(20), "behind")] {
            let check = judged(date);
            assert!(!check.ok && check.message.contains(side), "{check:?}");
            assert!(check.fix.is_some_and(|fix| fix.contains("clock")));
        }
        assert_eq!(clock(&ResponseHeaders::default(), now), None);
    }

    #[test]
    fn pages_have_to_be_let_in() {
        let page = "http://tv.lan:8080";
        assert!(cors(&ResponseHeaders { date: None, allows: Some("*".into()) }, page).ok);
        let check = cors(&ResponseHeaders::default(), page);
        assert!(!check.ok && check.fix.is_some_and(|fix| fix.contains(page)));
    }
}
