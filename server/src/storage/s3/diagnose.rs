//! What a bucket says beside its answers, and whether it may be written: for who judges it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use aws_sdk_s3::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::BeforeDeserializationInterceptorContextRef,
    },
    error::BoxError,
};

use super::{Bucket, StoreError};

/// What an answer's headers tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseHeaders {
    /// The store's own time.
    pub date: Option<SystemTime>,
    /// Whose pages may read it, as it tells a browser.
    pub allows: Option<String>,
}

impl ResponseHeaders {
    /// Whether a browser lets a page of `origin` read the answer.
    pub fn lets(&self, origin: &str) -> bool {
        self.allows.as_deref().is_some_and(|allowed| allowed == "*" || allowed == origin)
    }
}

/// Keeps the headers of the last answer.
#[derive(Clone, Debug, Default)]
struct Listener(Arc<Mutex<ResponseHeaders>>);

impl Intercept for Listener {
    fn name(&self) -> &'static str {
        "Listener"
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.response().headers();
        let aside = ResponseHeaders {
            date: headers.get("date").and_then(|date| httpdate::parse_http_date(date).ok()),
            allows: headers.get("access-control-allow-origin").map(str::to_owned),
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = aside;
        Ok(())
    }
}

impl Bucket {
    /// Lists one object as a page of `origin` would, and answers with what was told beside it.
    pub async fn hear(&self, origin: &str) -> Result<ResponseHeaders, StoreError> {
        let listener = Listener::default();
        let origin = origin.to_owned();
        let request = self.client.list_objects_v2().bucket(&self.bucket).max_keys(1);
        let request = request.prefix(&self.prefix).customize().interceptor(listener.clone());
        let request = request.mutate_request(move |request| {
            request.headers_mut().insert("origin", origin.clone());
        });
        request.send().await.map_err(|error| self.told(&error))?;
        let aside = listener.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(aside)
    }

    /// Begins a file and gives it up at once: nothing of it ever shows.
    pub async fn try_writing(&self) -> Result<(), StoreError> {
        const KEY: &str = ".tmp-doctor";
        let upload = self.begin(KEY, "application/octet-stream", "none").await?;
        self.give_up(KEY, &upload).await
    }
}

#[cfg(test)]
mod tests {
    use super::ResponseHeaders;

    #[test]
    fn pages_may_read_where_they_are_named() {
        let aside = |allows: Option<&str>| ResponseHeaders {
            allows: allows.map(str::to_owned),
            date: None,
        };
        assert!(aside(Some("*")).lets("http://tv.lan"));
        assert!(aside(Some("http://tv.lan")).lets("http://tv.lan"));
        assert!(!aside(Some("http://tv.lan:8080")).lets("http://tv.lan"));
        assert!(!aside(None).lets("http://tv.lan"));
    }
}
