//! Bodies whose end is told to the breakers: an answer that breaks off is a failure too.

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::permit::Permit;
use crate::storage::{Content, StoreError};

/// A body of so many bytes that is under way.
struct Watched {
    content: Content,
    expected: u64,
    came: u64,
    permit: Option<Permit>,
}

/// The body, and at its end a word to the breakers.
pub(super) fn watched(content: Content, expected: u64, permit: Permit) -> Content {
    let watched = Watched { content, expected, came: 0, permit: Some(permit) };
    stream::unfold(watched, |mut watched| async move {
        let next = watched.next().await?;
        Some((next, watched))
    })
    .boxed()
}

impl Watched {
    async fn next(&mut self) -> Option<Result<Bytes, StoreError>> {
        let next = self.content.next().await;
        match &next {
            Some(Ok(bytes)) => {
                self.came = self.came.saturating_add(bytes.len() as u64);
                if self.came >= self.expected {
                    self.is_well();
                }
            }
            Some(Err(error)) if !error.is_away() => self.is_well(),
            Some(Err(_)) | None => {
                if let Some(permit) = self.permit.take() {
                    permit.broke();
                }
            }
        }
        next
    }

    fn is_well(&mut self) {
        if let Some(permit) = self.permit.take() {
            permit.answered();
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // Who has seen enough of it leaves it there.
        if self.came > 0 {
            self.is_well();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use futures_util::{StreamExt, stream};

    use super::watched;
    use crate::{
        cache::{
            breaker::Breaker,
            permit::{Objects, Permit},
        },
        storage::{Content, StoreError},
    };

    fn content(sizes: &[usize], end: Option<StoreError>) -> Content {
        let chunks: Vec<_> = sizes.iter().map(|size| Ok(Bytes::from(vec![7; *size]))).collect();
        stream::iter(chunks.into_iter().chain(end.map(Err))).boxed()
    }

    /// Whether five such bodies of ten bytes, each of another object, read to their end or for one chunk, open the breaker.
    async fn opens(sizes: &[usize], end: Option<StoreError>, whole: bool) -> bool {
        let (objects, breaker) = <(Arc<Objects>, Arc<Breaker>)>::default();
        for n in 0..5 {
            let permit = Permit::ask(&objects, &breaker, &n.to_string());
            let Ok(permit) = permit else { return true };
            let mut body = watched(content(sizes, end.clone()), 10, permit);
            while body.next().await.is_some() && whole {}
        }
        !breaker.is_closed()
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_a_failure() {
        let away = || Some(StoreError::Away("cut off".into()));
        assert!(opens(&[4], away(), true).await, "cut off");
        assert!(opens(&[], away(), true).await, "a head without a body");
        assert!(opens(&[4, 5], None, true).await, "too short");
        assert!(opens(&[], None, true).await, "nothing at all");
        assert!(!opens(&[4, 6], None, true).await, "all of it");
        assert!(!opens(&[10], away(), true).await, "all of it, whatever comes then");
        assert!(!opens(&[4, 6], None, false).await, "left in the middle");
    }
}
