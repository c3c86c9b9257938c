//! What a store's errors mean to the person who set it up: one sentence, and what mends it.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use super::{Bucket, StoreError};
use crate::storage::Refusal;

impl Bucket {
    /// The error in our words: the store's own may hold addresses and keys.
    pub(super) fn told<E: ProvideErrorMetadata>(&self, error: &SdkError<E>) -> StoreError {
        let away = |why: &str| StoreError::Away(why.to_owned());
        match error {
            SdkError::TimeoutError(_) => away("it does not answer in time"),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                away("it does not answer in time")
            }
            SdkError::DispatchFailure(_) => away(if self.foreign {
                "nothing answers at AWS_ENDPOINT_URL"
            } else {
                "the connection to Amazon S3 fails"
            }),
            SdkError::ServiceError(answer) => {
                let (raw, code) = (answer.raw(), answer.err().code().unwrap_or_default());
                // Amazon tells it in a header, others in the error itself.
                let region = raw.headers().get("x-amz-bucket-region");
                let region = region.or_else(|| region_in(raw.body().bytes()?));
                self.answered(code, raw.status().as_u16(), region)
            }
            SdkError::ResponseError(answer) => {
                let status = answer.raw().status().as_u16();
                // What is no answer of a store is mostly some other server's page.
                if status == 200 {
                    return refused(
                        "what answers is no S3 store",
                        "set AWS_ENDPOINT_URL to the address of the store's API",
                    );
                }
                self.answered("", status, None)
            }
            _ => refused("the request cannot be made", "check BUCKET_NAME and AWS_REGION"),
        }
    }

    /// As [`Self::told`], of what changes the bucket.
    pub(super) fn told_of_writing<E: ProvideErrorMetadata>(
        &self,
        error: &SdkError<E>,
    ) -> StoreError {
        match error {
            SdkError::ServiceError(answer)
                if answer.err().code() == Some("AccessDenied")
                    || answer.raw().status().as_u16() == 401 =>
            {
                refused(
                    &format!("the access key may not write to the bucket {:?}", self.bucket),
                    "give it s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload there",
                )
            }
            other => self.told(other),
        }
    }

    fn answered(&self, code: &str, status: u16, region: Option<&str>) -> StoreError {
        let bucket = &self.bucket;
        match (code, status) {
            ("NoSuchKey" | "NotFound" | "NoSuchUpload", _) => StoreError::Gone,
            ("PreconditionFailed", _) => StoreError::Changed,
            ("NoSuchBucket", _) => refused(
                &format!("there is no bucket {bucket:?}"),
                "make it, or mend BUCKET_NAME or AWS_REGION",
            ),
            ("InvalidBucketName", _) => {
                refused(&format!("{bucket:?} is no name of a bucket"), "mend BUCKET_NAME")
            }
            ("InvalidAccessKeyId" | "NotSignedUp", _) => {
                refused("the store does not know this access key", "mend AWS_ACCESS_KEY_ID")
            }
            ("ExpiredToken" | "InvalidToken" | "TokenRefreshRequired", _) => refused(
                "the session token is not valid, or not any more",
                "set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN anew",
            ),
            ("SignatureDoesNotMatch", _) => refused(
                "the secret key does not belong to the access key",
                "mend AWS_SECRET_ACCESS_KEY",
            ),
            ("RequestTimeTooSkewed" | "RequestExpired", _) => refused(
                "the clocks of this host and of the store differ too much",
                "set this host's clock",
            ),
            (
                "AuthorizationHeaderMalformed"
                | "PermanentRedirect"
                | "IllegalLocationConstraintException",
                _,
            )
            | (_, 301 | 307 | 308) => refused(
                &format!("the bucket {bucket:?} lies in another region"),
                &match region.filter(|region| is_region(region)) {
                    Some(region) => format!("set AWS_REGION={region}"),
                    None => "set AWS_REGION to that one".to_owned(),
                },
            ),
            ("AccessDenied" | "AllAccessDisabled" | "AccountProblem", _) | (_, 401 | 403) => {
                refused(
                    &format!("the access key may not read the bucket {bucket:?}"),
                    "give it s3:ListBucket and s3:GetObject there",
                )
            }
            ("", 404) => StoreError::Gone,
            ("SlowDown" | "InternalError" | "ServiceUnavailable" | "RequestTimeout", _)
            | (_, 429 | 500..) => StoreError::Away(format!("it answers {status}")),
            _ => refused(
                &format!("the store refuses the request with {status} {code}"),
                "check BUCKET_NAME, AWS_REGION and AWS_ENDPOINT_URL",
            ),
        }
    }
}

/// The region that an error in XML names.
fn region_in(body: &[u8]) -> Option<&str> {
    let (_, after) = std::str::from_utf8(body).ok()?.split_once("<Region>")?;
    after.split_once("</Region>").map(|(region, _)| region.trim())
}

fn is_region(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn refused(what: &str, fix: &str) -> StoreError {
    StoreError::Refused(Refusal { what: what.to_owned(), fix: fix.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::{is_region, region_in};

    #[test]
    fn a_region_is_read_where_it_is_one() {
        let error = b"<Error><Code>x</Code><Region> eu-west-1 </Region></Error>";
        assert_eq!(region_in(error), Some("eu-west-1"));
        for none in [&b"<Error/>"[..], b"<Region>eu", b"\xFF<Region>x</Region>"] {
            assert_eq!(region_in(none), None);
        }
        assert!(is_region("eu-west-1"));
        for none in ["", "eu west", "<b>", "us-east-1\nSET"] {
            assert!(!is_region(none), "{none:?}");
        }
    }
}
