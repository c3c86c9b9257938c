//! Lists as they are sent: one text for all who ask, and parts of it that copy nothing.

use std::{convert::Infallible, ops::Range};

use axum::body::Body;
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream;

use super::record::etag_of;

/// A body with its strong entity tag.
#[derive(Clone, Debug)]
pub(crate) struct Tagged {
    pub(crate) body: Bytes,
    /// The brackets that stand around that, where it is a part of another list.
    around: Option<[Bytes; 2]>,
    pub(crate) etag: String,
}

impl Tagged {
    /// A text that stands for itself.
    pub(crate) fn new(text: Bytes) -> Self {
        Self { etag: etag_of(&text), body: text, around: None }
    }

    /// A JSON array of these.
    pub(crate) fn list(items: &[Bytes]) -> Self {
        let length = 2 + items.iter().map(|item| item.len() + 1).sum::<usize>();
        let mut all = BytesMut::with_capacity(length);
        all.put_u8(b'[');
        for (n, item) in items.iter().enumerate() {
            if n > 0 {
                all.put_u8(b',');
            }
            all.put_slice(item);
        }
        all.put_u8(b']');
        Self::new(all.freeze())
    }

    /// A JSON array of some of the `items` that this is the list of.
    pub(crate) fn part(&self, items: &[Bytes], range: Range<usize>) -> Self {
        let wanted = items.get(range.clone()).unwrap_or_default();
        if wanted.is_empty() {
            return Self::new(Bytes::from_static(b"[]"));
        }
        if wanted.len() == items.len() {
            return self.clone();
        }
        let length = |items: &[Bytes]| items.iter().map(|item| item.len() + 1).sum::<usize>();
        let start = 1 + length(&items[..range.start]);
        let body = self.body.slice(start..start + length(wanted) - 1);
        let around = Some([b"[", b"]"].map(|bracket| Bytes::from_static(bracket)));
        let mut part = Self { body, around, etag: String::new() };
        let mut hasher = blake3::Hasher::new();
        for piece in part.pieces() {
            hasher.update(&piece);
        }
        part.etag = format!("\"{}\"", &hasher.finalize().to_hex()[..24]);
        part
    }

    fn pieces(&self) -> Vec<Bytes> {
        match &self.around {
            Some([open, close]) => vec![open.clone(), self.body.clone(), close.clone()],
            None => vec![self.body.clone()],
        }
    }

    /// How long it is.
    pub(crate) fn length(&self) -> usize {
        self.pieces().iter().map(Bytes::len).sum()
    }

    /// As it is sent.
    pub(crate) fn sent(&self) -> Body {
        match &self.around {
            None => Body::from(self.body.clone()),
            Some(_) => {
                let pieces = self.pieces().into_iter().map(Ok::<_, Infallible>);
                Body::from_stream(stream::iter(pieces))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::Tagged;

    #[tokio::test]
    async fn parts_are_of_the_bytes_of_the_whole() {
        let items: Vec<Bytes> = ["1", "\"ñ\"", "{}", "[4,5]"].map(Bytes::from).to_vec();
        let all = Tagged::list(&items);
        let whole = &all.body;
        for (range, text) in [
            (0..4, "[1,\"ñ\",{},[4,5]]"),
            (0..1, "[1]"),
            (1..3, "[\"ñ\",{}]"),
            (3..4, "[[4,5]]"),
            (2..2, "[]"),
            (4..4, "[]"),
            (std::ops::Range { start: 9, end: 4 }, "[]"),
        ] {
            let part = all.part(&items, range.clone());
            assert_eq!(part.length(), text.len(), "{range:?}");
            assert_eq!(part.etag, Tagged::new(Bytes::from(text)).etag, "{range:?}");
            let sent = axum::body::to_bytes(part.sent(), 100).await.expect("all of it");
            assert_eq!(sent, text, "{range:?}");
            let is_shared = whole.as_ptr_range().contains(&part.body.as_ptr());
            assert!(is_shared || text == "[]", "{range:?} is copied");
        }
    }
}
