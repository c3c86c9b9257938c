//! A bucket of Amazon S3 or of any store that speaks its protocol. One request each: what tries
//! again, and what gives up, lives in `cache`.

mod diagnose;
mod direct;
mod publish;
mod refusal;

use std::{ops::Range, time::Duration};

use aws_sdk_s3::{
    Client, Config,
    config::{
        BehaviorVersion, Credentials, Region, RequestChecksumCalculation,
        ResponseChecksumValidation, StalledStreamProtectionConfig, retry::RetryConfig,
        timeout::TimeoutConfig,
    },
    operation::get_object::GetObjectOutput,
    primitives::{ByteStream, DateTime},
};
use aws_smithy_http_client::{
    Builder as HttpClient,
    tls::{Provider, rustls_provider::CryptoMode},
};
use futures_util::{FutureExt, stream};
use tokio::time::timeout;

pub use self::{diagnose::ResponseHeaders, publish::Part};
use super::{
    Answer, Asked, Content, Direct, Object, Refusal, Store, StoreError,
    local::FileVersion,
    pace::{paced, part},
};
use crate::config::{BucketSettings, Delivery};

/// How long a connection may take to be made,
const CONNECTS: Duration = Duration::from_secs(1);
/// an answer to begin,
const ANSWERS: Duration = Duration::from_secs(5);
/// one with bytes, which may have to be brought from somewhere first,
const ANSWERS_BYTES: Duration = Duration::from_secs(10);
/// and one that has to hear a whole part of a file before.
const ANSWERS_PARTS: Duration = Duration::from_secs(300);
/// A page of a list may take so long in all,
const PAGE_IN_ALL: Duration = Duration::from_secs(60);
/// and a list may name so many objects.
const OBJECTS_MAX: usize = 5_000_000;

/// One bucket, or a folder in it.
#[derive(Debug)]
pub struct Bucket {
    client: Client,
    bucket: String,
    /// Empty, or with a slash at the end.
    prefix: String,
    /// Its address, where it is not Amazon's, else its region.
    place: String,
    /// It is not Amazon's.
    foreign: bool,
    delivery: Delivery,
}

impl Bucket {
    /// The bucket that is set; `None` where none is. Asks nothing yet.
    pub fn new(settings: &BucketSettings) -> Option<Self> {
        Self::with(settings, ANSWERS)
    }

    /// As [`Self::new`], for who writes to it over a slow line.
    pub fn to_publish(settings: &BucketSettings) -> Option<Self> {
        Self::with(settings, ANSWERS_PARTS)
    }

    fn with(settings: &BucketSettings, answers: Duration) -> Option<Self> {
        let bucket = settings.bucket_name.trim();
        if bucket.is_empty() {
            return None;
        }
        let tls = Provider::Rustls(CryptoMode::Ring);
        let credentials = Credentials::new(
            settings.access_key_id.reveal(),
            settings.secret_access_key.reveal(),
            Some(settings.session_token.reveal().to_owned()).filter(|token| !token.is_empty()),
            None,
            "settings",
        );
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(settings.region.trim().to_owned()))
            .credentials_provider(credentials)
            .http_client(HttpClient::new().tls_provider(tls).build_https())
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder().connect_timeout(CONNECTS).read_timeout(answers).build(),
            )
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        let endpoint = settings.endpoint_url.0.as_ref();
        if let Some(endpoint) = endpoint {
            config = config.endpoint_url(endpoint.as_str()).force_path_style(true);
        }
        let prefix = settings.prefix.trim().trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let client = Client::from_conf(config.build());
        let place = endpoint.map_or(settings.region.trim(), |endpoint| endpoint.as_str());
        let (place, foreign) = (place.to_owned(), endpoint.is_some());
        let delivery = settings.delivery;
        Some(Self { client, bucket: bucket.to_owned(), prefix, place, foreign, delivery })
    }

    /// All objects whose keys, below the prefix that is ours, begin so.
    pub async fn objects(&self, begin: &str) -> Result<Vec<Object>, StoreError> {
        let (mut all, mut next) = self.page(begin, None).await?;
        while next.is_some() {
            let (more, after) = self.page(begin, next.clone()).await?;
            all.extend(more);
            if all.len() > OBJECTS_MAX {
                return Err(StoreError::Refused(Refusal {
                    what: format!("the bucket {:?} lists millions of objects", self.bucket),
                    fix: "set BUCKET_PREFIX to the folder that holds the channels".into(),
                }));
            }
            if after == next {
                return Err(StoreError::Away("its list comes to no end".into()));
            }
            next = after;
        }
        Ok(all)
    }

    async fn page(
        &self,
        begin: &str,
        after: Option<String>,
    ) -> Result<(Vec<Object>, Option<String>), StoreError> {
        let request = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(self.key(begin))
            .set_continuation_token(after);
        let page = timeout(PAGE_IN_ALL, request.send()).await;
        let page = page.map_err(|_| StoreError::Away("its list does not come in time".into()))?;
        let page = page.map_err(|error| self.told(&error))?;
        let objects = page.contents().iter().filter_map(|object| {
            let key = object.key()?.strip_prefix(&self.prefix)?;
            let size = u64::try_from(object.size()?).ok()?;
            let stamp = FileVersion::tagged(size, nanos(object.last_modified()), object.e_tag());
            Some(Object { key: key.to_owned(), stamp })
        });
        let next = page.next_continuation_token().filter(|_| page.is_truncated() == Some(true));
        Ok((objects.collect(), next.map(str::to_owned)))
    }

    /// The whole key of what has this one below our prefix.
    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    async fn open(
        &self,
        key: &str,
        stamp: FileVersion,
        range: Range<u64>,
    ) -> Result<Content, StoreError> {
        let request = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(self.key(key))
            .range(format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
        let times = TimeoutConfig::builder().connect_timeout(CONNECTS).read_timeout(ANSWERS_BYTES);
        let request =
            request.customize().config_override(Config::builder().timeout_config(times.build()));
        let answer = request.send().await.map_err(|error| self.told(&error))?;
        as_listed(&answer, stamp, &range)?;
        Ok(part(content(answer.body), 0, range.end - range.start))
    }
}

impl Store for Bucket {
    fn name(&self) -> &'static str {
        "s3"
    }

    fn label(&self) -> String {
        format!("bucket {:?}", self.bucket)
    }

    fn identity(&self) -> String {
        format!("{}\n{}\n{}", self.place, self.bucket, self.prefix)
    }

    fn list(&self) -> Answer<'_, Vec<Object>> {
        self.objects("").boxed()
    }

    fn list_below(&self, begin: &str) -> Answer<'_, Vec<Object>> {
        let begin = begin.to_owned();
        async move { self.objects(&begin).await }.boxed()
    }

    fn direct(
        &self,
        key: &str,
        media_type: &'static str,
        asked: Asked,
    ) -> Answer<'_, Option<Direct>> {
        let key = self.key(key);
        async move {
            match self.delivery {
                Delivery::CachedStore => Ok(None),
                Delivery::Redirect => self.signed(&key, media_type, asked).await.map(Some),
            }
        }
        .boxed()
    }

    fn read(&self, key: &str, stamp: FileVersion, range: Range<u64>) -> Answer<'_, Content> {
        let key = key.to_owned();
        async move { self.open(&key, stamp, range).await }.boxed()
    }
}

/// Whether an answer is of the object that was listed, and of the part that was asked for.
fn as_listed(
    answer: &GetObjectOutput,
    stamp: FileVersion,
    range: &Range<u64>,
) -> Result<(), StoreError> {
    let modified = nanos(answer.last_modified());
    let tagged = FileVersion::tagged(stamp.size, modified, answer.e_tag());
    // A store whose list has no tags is compared by time.
    let timed = FileVersion::tagged(stamp.size, modified, None);
    if tagged.etag_hash != stamp.etag_hash && timed.etag_hash != stamp.etag_hash {
        return Err(StoreError::Changed);
    }
    let length = range.end - range.start;
    let wanted = format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), stamp.size);
    let whole = range.start == 0 && length == stamp.size;
    let told = answer.content_range();
    if told != Some(&wanted) && !(whole && told.is_none()) {
        return Err(StoreError::Broken("it answers another part than was asked for".into()));
    }
    if answer.content_length().and_then(|told| u64::try_from(told).ok()) != Some(length) {
        return Err(StoreError::Broken("it answers with another length than it listed".into()));
    }
    Ok(())
}

fn content(body: ByteStream) -> Content {
    // A stream of ours: the store's own is none of the trait.
    let chunks = stream::unfold(body, |mut body| async move {
        let next = body.next().await?;
        Some((next, body))
    });
    paced(Box::pin(chunks))
}

fn nanos(time: Option<&DateTime>) -> i64 {
    time.map_or(0, |time| time.secs().saturating_mul(1_000_000_000))
}
