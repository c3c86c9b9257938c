//! Writing to the bucket: one request each, every one of which may be made again with the same end.

use std::collections::BTreeMap;

use aws_sdk_s3::{
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Bucket, StoreError};

/// What an object of ours carries of its content.
const MARK: &str = "carrete-blake3";

/// A part of a file that the bucket has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its length in bytes.
    pub size: u64,
    /// What the bucket calls it.
    pub etag: Option<String>,
}

impl Bucket {
    /// The mark that an object was put there with; `None` where another hand put it there, and
    /// [`StoreError::Gone`] where there is none.
    pub async fn mark(&self, key: &str) -> Result<Option<String>, StoreError> {
        let request = self.client.head_object().bucket(&self.bucket).key(self.key(key));
        let answer = request.send().await.map_err(|error| self.told(&error))?;
        Ok(answer.metadata().and_then(|marks| marks.get(MARK)).cloned())
    }

    /// Puts an object there, at once and whole.
    pub async fn put(
        &self,
        key: &str,
        media_type: &str,
        mark: &str,
        bytes: Bytes,
    ) -> Result<(), StoreError> {
        let request = self.client.put_object().bucket(&self.bucket).key(self.key(key));
        let request = request.content_type(media_type).metadata(MARK, mark);
        let sent = request.body(ByteStream::from(bytes)).send().await;
        sent.map(drop).map_err(|error| self.told_of_writing(&error))
    }

    /// Begins an object that comes in parts; nothing of it shows until [`Self::finish`].
    pub async fn begin(
        &self,
        key: &str,
        media_type: &str,
        mark: &str,
    ) -> Result<String, StoreError> {
        let request = self.client.create_multipart_upload().bucket(&self.bucket);
        let request = request.key(self.key(key)).content_type(media_type).metadata(MARK, mark);
        let begun = request.send().await.map_err(|error| self.told_of_writing(&error))?;
        begun.upload_id().map(str::to_owned).ok_or_else(|| {
            StoreError::Away("it takes files in parts and does not say under which name".into())
        })
    }

    /// Puts one part there.
    pub async fn put_part(
        &self,
        key: &str,
        upload: &str,
        number: i32,
        bytes: Bytes,
    ) -> Result<Part, StoreError> {
        let size = bytes.len() as u64;
        let request = self.client.upload_part().bucket(&self.bucket).key(self.key(key));
        let request = request.upload_id(upload).part_number(number);
        let sent = request.body(ByteStream::from(bytes)).send().await;
        let sent = sent.map_err(|error| self.told_of_writing(&error))?;
        Ok(Part { size, etag: sent.e_tag().map(str::to_owned) })
    }

    /// Makes the parts one object.
    pub async fn finish(
        &self,
        key: &str,
        upload: &str,
        parts: &BTreeMap<i32, Part>,
    ) -> Result<(), StoreError> {
        let parts = parts.iter().map(|(number, part)| {
            CompletedPart::builder().part_number(*number).set_e_tag(part.etag.clone()).build()
        });
        let whole = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
        let request = self.client.complete_multipart_upload().bucket(&self.bucket);
        let request = request.key(self.key(key)).upload_id(upload).multipart_upload(whole);
        request.send().await.map(drop).map_err(|error| self.told_of_writing(&error))
    }

    /// Forgets the parts of an object that was begun.
    pub async fn give_up(&self, key: &str, upload: &str) -> Result<(), StoreError> {
        let request = self.client.abort_multipart_upload().bucket(&self.bucket);
        let request = request.key(self.key(key)).upload_id(upload);
        match request.send().await.map_err(|error| self.told_of_writing(&error)) {
            Ok(_) | Err(StoreError::Gone) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Takes an object away; one that is not there is no error.
    pub async fn remove(&self, key: &str) -> Result<(), StoreError> {
        let request = self.client.delete_object().bucket(&self.bucket).key(self.key(key));
        match request.send().await.map_err(|error| self.told_of_writing(&error)) {
            Ok(_) | Err(StoreError::Gone) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
