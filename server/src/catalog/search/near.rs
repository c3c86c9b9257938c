//! What is near to a question that finds nothing: by letters first, then by tags, then by time.

use std::{cmp::Reverse, sync::Arc};

use app::catalog::Media;
use strsim::jaro_winkler;

use super::Folded;

/// Words of a question that are compared.
const WORDS_MAX: usize = 4;
/// Channels that are compared, the first of the order: a long list is not read letter by letter for
/// every key that somebody presses.
const COMPARED_MAX: usize = 4_000;
/// Words that have less in common (Jaro-Winkler, 0 to 1) are not alike.
const ALIKE: f64 = 0.82;

/// Indexes of the `count` channels nearest to `query` (folded), the nearest first; `order` holds the
/// indexes of all.
pub(super) fn near(
    media: &[Arc<Media>],
    folded: &[Folded],
    order: &[u32],
    query: &str,
    count: usize,
) -> Vec<u32> {
    let words: Vec<&str> = words(query).take(WORDS_MAX).collect();
    let mut all: Vec<(f64, u32)> = order
        .iter()
        .take(COMPARED_MAX)
        .map(|n| (words.iter().map(|word| likeness(word, &folded[*n as usize])).sum(), *n))
        .collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    // The tags of the nearest say what it is about.
    let about: Vec<&str> = match all.first() {
        Some((likeness, n)) if *likeness > 0.0 => folded[*n as usize].tags.lines().collect(),
        _ => Vec::new(),
    };
    let shares = |n: u32| {
        let tags = folded[n as usize].tags.lines();
        tags.filter(|tag| about.contains(tag)).count()
    };
    all.sort_by(|(a, m), (b, n)| {
        let by_tags = || shares(*n).cmp(&shares(*m));
        let by_time =
            || Reverse(media[*m as usize].updated_at).cmp(&Reverse(media[*n as usize].updated_at));
        b.total_cmp(a).then_with(by_tags).then_with(by_time)
    });
    all.into_iter().take(count).map(|(_, n)| n).collect()
}

/// Tags that are like a word of `query` (folded), those of the first words first.
pub(super) fn alike<'a>(tags: &'a [String], query: &str) -> Vec<&'a str> {
    let words: Vec<&str> = words(query).take(WORDS_MAX).collect();
    let is_like = |tag: &&String| {
        let tag = super::fold(tag);
        words.iter().any(|word| jaro_winkler(word, &tag) >= ALIKE)
    };
    tags.iter().filter(is_like).map(String::as_str).collect()
}

fn words(query: &str) -> impl Iterator<Item = &str> {
    query
        .split_whitespace()
        .map(|word| word.trim_start_matches('#'))
        .filter(|word| !word.is_empty())
}

/// How much a channel answers to a word: 1 where it holds it, less where it only looks like it, 0
/// where it does not.
fn likeness(word: &str, of: &Folded) -> f64 {
    if of.holds(word) {
        return 1.0;
    }
    let theirs = of.title.split_whitespace().chain(of.tags.split_whitespace());
    let most = theirs.map(|other| jaro_winkler(word, other)).fold(0.0, f64::max);
    if most >= ALIKE { most } else { 0.0 }
}
