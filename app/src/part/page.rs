//! The pages as the server renders them, read well enough to find parts in them by their selectors.

use std::sync::OnceLock;

use leptos::prelude::*;

use crate::{
    App,
    catalog::Media,
    reels::feed::window::tests::{media, slice},
    start::{Page, Start},
    text::Lang,
};

/// An element: its name, its attributes, what it lies in, and the nearest `template` around it.
struct Node {
    tag: String,
    attributes: Vec<(String, String)>,
    parent: Option<usize>,
    template: Option<usize>,
}

/// Every element of a page, in the order of the document.
struct Document(Vec<Node>);

/// Elements that have no end tag.
const VOID: [&str; 5] = ["br", "img", "input", "link", "meta"];

/// The reels with five channels around the active one, every optional part of them filled.
fn reels() -> &'static Document {
    static REELS: OnceLock<Document> = OnceLock::new();
    REELS.get_or_init(|| {
        let mut slice = slice(0, 5, "a");
        slice.total = 5;
        for item in &mut slice.items {
            *item = Media { poster: Some("/p.webp".into()), ..item.clone() };
        }
        let start =
            Start { lang: Lang::En, join_url: "http://tv/".into(), page: Page::Reels(slice, 2) };
        let html = Owner::new().with(|| view! { <App start /> }.to_html());
        Document::read(&html)
    })
}

/// Fails where one of the selectors finds nothing below the first element that `root` finds; of a
/// `template` that is below what it holds.
pub(crate) fn check(root: &str, selectors: &[&str]) {
    let page = reels();
    assert!(media(0).is_some() && page.0.len() > 100, "no page: {} elements", page.0.len());
    let (template, inner) = root.split_once(' ').unwrap_or((root, ""));
    let found = if template.ends_with("-template") && !inner.is_empty() {
        let template = page.find(template, None, None);
        page.find(inner, template, template)
    } else {
        page.find(root, None, None)
    };
    let n = found.unwrap_or_else(|| panic!("the page has no {root}"));
    let template = if page.0[n].tag == "template" { Some(n) } else { page.0[n].template };
    for selector in selectors {
        let part = page.find(selector, Some(n), template);
        assert!(part.is_some(), "there is no {selector} in {root}");
    }
}

impl Document {
    fn read(html: &str) -> Self {
        let mut nodes: Vec<Node> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        for part in html.split('<').skip(1) {
            let inside = part.split('>').next().unwrap_or_default();
            let tag: String =
                inside.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
            if let Some(closed) = inside.strip_prefix('/') {
                while open.pop().is_some_and(|n| nodes[n].tag != closed) {}
            } else if !tag.is_empty() {
                let template = open.iter().rev().find(|n| nodes[**n].tag == "template").copied();
                nodes.push(Node {
                    attributes: attributes(&inside[tag.len()..]),
                    parent: open.last().copied(),
                    template,
                    tag,
                });
                let last = nodes.len() - 1;
                if !inside.ends_with('/') && !VOID.contains(&&*nodes[last].tag) {
                    open.push(last);
                }
            }
        }
        Self(nodes)
    }

    /// The first match below `root`, of what this `template` holds, or of the document itself.
    fn find(&self, selector: &str, root: Option<usize>, template: Option<usize>) -> Option<usize> {
        let steps: Vec<&str> = selector.split_whitespace().collect();
        (0..self.0.len()).find(|n| {
            self.0[*n].template == template
                && root.is_none_or(|root| self.above(*n).any(|above| above == root))
                && self.matches(*n, &steps)
        })
    }

    /// What an element lies in, from inside out.
    fn above(&self, n: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.0[n].parent, |n| self.0[*n].parent)
    }

    fn matches(&self, n: usize, steps: &[&str]) -> bool {
        let Some((last, before)) = steps.split_last() else { return true };
        if !self.0[n].is(last) {
            return false;
        }
        match before.split_last() {
            None => true,
            Some((&">", before)) => self.0[n].parent.is_some_and(|n| self.matches(n, before)),
            Some(_) => self.above(n).any(|n| self.matches(n, before)),
        }
    }
}

impl Node {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(each, _)| each == name).map(|(_, value)| &**value)
    }

    /// Whether it matches a compound of a name, classes and attributes.
    fn is(&self, compound: &str) -> bool {
        let (compound, attribute) = compound.split_once('[').unwrap_or((compound, ""));
        let (name, wanted) = attribute.trim_end_matches(']').split_once('=').unzip();
        let has = match (name, wanted) {
            (Some(name), Some(wanted)) => self.get(name) == Some(wanted),
            _ => attribute.is_empty() || self.get(attribute.trim_end_matches(']')).is_some(),
        };
        let mut classes = compound.split('.');
        let tag = classes.next().unwrap_or_default();
        has && (tag.is_empty() || tag == self.tag)
            && classes.all(|class| {
                self.get("class").is_some_and(|all| all.split(' ').any(|each| each == class))
            })
    }
}

fn attributes(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() && rest != "/" {
        let end = rest.find([' ', '=']).unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        rest = &rest[end..];
        let mut value = String::new();
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let (inside, after) = quoted.split_once('"').unwrap_or((quoted, ""));
            inside.clone_into(&mut value);
            rest = after;
        }
        found.push((name, value));
        rest = rest.trim_start();
    }
    found
}

#[test]
fn a_part_that_is_not_there_is_missed() {
    check("main", &[".feed", ".bars > [role=status]", "article[aria-current]", "h1"]);
    let page = reels();
    for (selector, root) in [
        (".feet", "main"),
        // What templates hold is in no document.
        (".burst", "main"),
        ("main > [role=status]", "main"),
        ("button", ".slate"),
        ("span.tag", ".slate"),
    ] {
        let root = page.find(root, None, None);
        assert!(root.is_some() && page.find(selector, root, None).is_none(), "{selector}");
    }
}
