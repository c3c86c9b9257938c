//! Finding channels by title, tag, id or number, in any case and with or without accents: a folded
//! index of one state of the list, made when somebody first searches.

mod near;

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use app::catalog::{Kind, Media};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::order::Places;

/// What the channels of one state of the list can be found by.
#[derive(Debug, Default)]
pub(super) struct Index {
    folded: OnceLock<Vec<Folded>>,
    tags: OnceLock<Tags>,
}

/// Which channels are wanted, beside the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only<'a> {
    /// All of them.
    All,
    /// Sound alone.
    Music,
    /// Those whose playlist still grows.
    Live,
    /// Those with this tag, in any case and with or without accents.
    Tag(&'a str),
}

/// What the list holds, for those who offer a choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// Every tag as it is written most, the most used first.
    pub by_use: Vec<String>,
    /// Whether there is music.
    pub music: bool,
    /// Whether something is live.
    pub live: bool,
}

#[derive(Debug)]
struct Folded {
    title: String,
    /// A line each.
    tags: String,
    id: String,
}

impl Index {
    /// Feed indexes of the channels that hold every word of `query`, in the given order, but those
    /// first whose number the query is or whose title begins with it.
    pub(super) fn find(
        &self,
        media: &[Arc<Media>],
        places: &Places,
        query: &str,
        only: Only<'_>,
    ) -> Vec<u32> {
        let wanted_tag = if let Only::Tag(tag) = only { fold(tag) } else { String::new() };
        let fits = |n: &u32| {
            let index = *n as usize;
            match only {
                Only::All => true,
                Only::Music => media[index].kind == Kind::Audio,
                Only::Live => media[index].live,
                Only::Tag(_) => self.folded(media)[index].tags.lines().any(|tag| tag == wanted_tag),
            }
        };
        let query = fold(query);
        let words: Vec<&str> = query.split_whitespace().collect();
        if words.is_empty() {
            return places.order().iter().copied().filter(fits).collect();
        }
        let start = words.join(" ");
        let number = start.parse().ok().and_then(|number: usize| number.checked_sub(1));
        let numbered = number.and_then(|at| places.order().get(at)).copied();
        let folded = self.folded(media);
        let found = places.order().iter().copied().filter(|n| {
            Some(*n) == numbered || words.iter().all(|word| folded[*n as usize].holds(word))
        });
        let mut found: Vec<u32> = found.filter(fits).collect();
        found.sort_by_key(|n| match () {
            () if Some(*n) == numbered => 0,
            () if folded[*n as usize].title.starts_with(&start) => 1,
            () => 2,
        });
        found
    }

    /// Feed indexes of the `count` channels nearest to a query that finds nothing, the nearest first.
    pub(super) fn near(
        &self,
        media: &[Arc<Media>],
        places: &Places,
        query: &str,
        count: usize,
    ) -> Vec<u32> {
        near::near(media, self.folded(media), places.order(), &fold(query), count)
    }

    /// Tags that look like a word of a query.
    pub(super) fn tags_like(&self, media: &[Arc<Media>], query: &str) -> Vec<&str> {
        near::alike(&self.tags(media).by_use, &fold(query))
    }

    /// What there is to choose from.
    pub(super) fn tags(&self, media: &[Arc<Media>]) -> &Tags {
        self.tags.get_or_init(|| Tags::of(media))
    }

    fn folded(&self, media: &[Arc<Media>]) -> &[Folded] {
        self.folded.get_or_init(|| media.iter().map(|media| Folded::of(media)).collect())
    }
}

impl Folded {
    fn of(media: &Media) -> Self {
        let tags: Vec<String> = media.tags.iter().map(|tag| fold(tag)).collect();
        Self { title: fold(&media.title), tags: tags.join("\n"), id: fold(media.id.as_str()) }
    }

    fn holds(&self, word: &str) -> bool {
        match word.strip_prefix('#') {
            Some(tag) => self.tags.contains(tag),
            None => self.title.contains(word) || self.tags.contains(word) || self.id.contains(word),
        }
    }
}

impl Tags {
    fn of(media: &[Arc<Media>]) -> Self {
        let mut uses: HashMap<String, HashMap<&str, usize>> = HashMap::new();
        for tag in media.iter().flat_map(|media| &media.tags) {
            *uses.entry(fold(tag)).or_default().entry(tag).or_default() += 1;
        }
        uses.remove("");
        let mut tags: Vec<(usize, String, String)> = uses
            .into_iter()
            .map(|(folded, written)| {
                let all = written.values().sum();
                let most = written.into_iter().max_by_key(|(text, uses)| (*uses, *text));
                (all, folded, most.map_or_else(String::new, |(text, _)| text.to_owned()))
            })
            .collect();
        tags.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        Self {
            by_use: tags.into_iter().map(|(_, _, text)| text).collect(),
            music: media.iter().any(|media| media.kind == Kind::Audio),
            live: media.iter().any(|media| media.live),
        }
    }
}

/// The text without case and accents: decomposed, its marks dropped, in small letters.
fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let plain = text.nfkd().filter(|c| !is_combining_mark(*c));
    plain.flat_map(char::to_lowercase).nfkd().filter(|c| !is_combining_mark(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn case_and_accents_do_not_count() {
        for (text, folded) in [
            ("Ñandú", "nandu"),
            ("CAFÉ", "cafe"),
            ("ｆｕｌｌ", "full"),
            ("Straße", "straße"),
            ("İstanbul", "istanbul"),
            ("日本", "日本"),
            ("ﬁesta", "fiesta"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }
}
