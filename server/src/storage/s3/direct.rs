//! Addresses at which players read objects of the bucket themselves, signed for a while.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_s3::{
    error::{ProvideErrorMetadata, SdkError},
    presigning::{PresignedRequest, PresigningConfig},
};
use url::Url;

use super::{Asked, Bucket, Direct, StoreError};
use crate::{config::Delivery, storage::Refusal};

/// How long a signature holds.
const LIFE: Duration = Duration::from_secs(2 * 60 * 60);
/// A new one is made so often: meanwhile everybody gets the same address, which a CDN and a browser
/// can keep.
const NEW_EVERY: Duration = Duration::from_secs(60 * 60);
/// A signature is not used in its last minutes: a film that is opened then is read on for a while,
/// and clocks differ.
const SPARE: Duration = Duration::from_secs(10 * 60);

impl Bucket {
    /// The address of an object, told by its whole key.
    pub(super) async fn signed(
        &self,
        key: &str,
        media_type: &'static str,
        asked: Asked,
    ) -> Result<Direct, StoreError> {
        let (began, kept) = times(SystemTime::now());
        let signing = PresigningConfig::builder().start_time(began).expires_in(LIFE).build();
        let signing = signing.map_err(|_| unsigned())?;
        let address = match asked {
            Asked::Bytes => {
                let request = self.client.get_object().bucket(&self.bucket).key(key);
                self.address(request.response_content_type(media_type).presigned(signing).await)
            }
            Asked::Head => {
                let request = self.client.head_object().bucket(&self.bucket).key(key);
                self.address(request.response_content_type(media_type).presigned(signing).await)
            }
        };
        Ok(Direct { address: address?, kept })
    }

    /// The origin of all those addresses; `None` where players are not led there.
    pub async fn direct_origin(&self) -> Option<String> {
        if self.delivery != Delivery::Redirect {
            return None;
        }
        let direct = self.signed("any", "video/mp2t", Asked::Bytes).await.ok()?;
        Some(Url::parse(&direct.address).ok()?.origin().ascii_serialization())
    }

    fn address<E: ProvideErrorMetadata>(
        &self,
        signed: Result<PresignedRequest, SdkError<E>>,
    ) -> Result<String, StoreError> {
        let signed = signed.map_err(|error| self.told(&error))?;
        // A player cannot be told to send headers of ours.
        if signed.headers().next().is_some() {
            return Err(unsigned());
        }
        Ok(signed.uri().to_owned())
    }
}

fn unsigned() -> StoreError {
    StoreError::Refused(Refusal {
        what: "an address for players cannot be signed".into(),
        fix: "set S3_DELIVERY=edge".into(),
    })
}

/// When the signature of now began, and for how long it may be kept.
fn times(now: SystemTime) -> (SystemTime, Duration) {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let into = Duration::from_secs(since.as_secs() % NEW_EVERY.as_secs());
    let began = UNIX_EPOCH + Duration::from_secs(since.as_secs()) - into;
    (began, LIFE - into - SPARE)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::{LIFE, NEW_EVERY, times};
    use crate::{
        config::{BucketSettings, Delivery, Optional},
        storage::s3::Bucket,
    };

    #[tokio::test]
    async fn the_origin_is_that_of_the_signed_addresses() {
        for (endpoint, origin) in [
            (None, "https://films.s3.eu-west-1.amazonaws.com"),
            (Some("http://minio.lan:9000"), "http://minio.lan:9000"),
        ] {
            let settings = BucketSettings {
                bucket_name: "films".into(),
                region: "eu-west-1".into(),
                endpoint_url: Optional(endpoint.and_then(|text| text.parse().ok())),
                access_key_id: "AKIA".parse().expect("a key"),
                secret_access_key: "hush".parse().expect("a key"),
                delivery: Delivery::Redirect,
                ..BucketSettings::default()
            };
            let bucket = Bucket::new(&settings).expect("a bucket");
            assert_eq!(bucket.direct_origin().await.as_deref(), Some(origin));
        }
    }

    #[test]
    fn an_address_stays_for_a_while_and_is_kept_for_less_than_it_lives() {
        let begin = UNIX_EPOCH + NEW_EVERY * 500_000;
        for seconds in [0, 1, 1_800, 3_599] {
            let now = begin + Duration::from_millis(seconds * 1_000 + 500);
            let (began, kept) = times(now);
            assert_eq!(began, begin);
            assert!(now + kept < began + LIFE && kept >= NEW_EVERY / 2, "{seconds}");
        }
        assert_eq!(times(begin + NEW_EVERY).0, begin + NEW_EVERY);
    }
}
