//! What a visitor chose: language, order and theme, asked for in the address and remembered in
//! cookies. No identity.

use app::{catalog::Order, text::Lang, theme::Theme};
use http::{HeaderMap, HeaderValue, header, request::Parts};

const LANG: &str = "lang";
const ORDER: &str = "order";
const THEME: &str = "theme";
/// Kept by the page itself, once its browser holds the stylesheet of this version.
const STYLE: &str = "style";
/// Cookies last for a year, in seconds.
const COOKIE_S: u32 = 31_536_000;

/// The choices of one visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visitor {
    pub(crate) lang: Lang,
    pub(crate) order: Order,
    pub(crate) theme: Theme,
    /// The version of the stylesheet that this browser holds.
    style: Option<String>,
    /// What this request chose, to be remembered: names and values.
    chosen: Vec<(&'static str, String)>,
}

impl Visitor {
    /// Reads the choices of a request.
    pub(crate) fn of(parts: &Parts) -> Self {
        let asked = |name| parts.uri.query().and_then(|query| value(query, '&', name));
        let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let cookies = text(header::COOKIE).unwrap_or_default();
        let remembered = |name| value(cookies, ';', name);
        let mut chosen = Vec::new();

        let lang = asked(LANG).and_then(Lang::parse);
        chosen.extend(lang.map(|lang| (LANG, lang.tag().to_owned())));
        let accepted = || text(header::ACCEPT_LANGUAGE).map(Lang::accept).unwrap_or_default();
        let lang = lang.or_else(|| remembered(LANG).and_then(Lang::parse)).unwrap_or_else(accepted);

        let order = asked(ORDER).and_then(|order| match order {
            "shuffle" => Some(Order::Shuffle(seed())),
            order => Order::parse(order),
        });
        chosen.extend(order.map(|order| (ORDER, order.to_string())));
        let order = order.or_else(|| remembered(ORDER).and_then(Order::parse)).unwrap_or_default();

        let theme = asked(THEME).and_then(Theme::parse);
        chosen.extend(theme.map(|theme| (THEME, theme.name().to_owned())));
        let theme = theme.or_else(|| remembered(THEME).and_then(Theme::parse)).unwrap_or_default();

        let style = remembered(STYLE).map(str::to_owned);
        Self { lang, order, theme, style, chosen }
    }

    /// Whether this browser says that it holds the stylesheet of this version.
    pub(crate) fn has_style(&self, version: &str) -> bool {
        self.style.as_deref() == Some(version)
    }

    /// Says in the headers that the answer depends on these choices.
    pub(crate) fn describe(&self, headers: &mut HeaderMap) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::VARY, HeaderValue::from_static("accept-language, cookie"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(self.lang.tag()));
    }

    /// The same for a page, and remembers what was chosen.
    pub(crate) fn sign(&self, headers: &mut HeaderMap) {
        self.describe(headers);
        for (name, value) in &self.chosen {
            let cookie = format!("{name}={value}; Path=/; Max-Age={COOKIE_S}; SameSite=Lax");
            if let Ok(cookie) = HeaderValue::try_from(cookie) {
                headers.append(header::SET_COOKIE, cookie);
            }
        }
    }
}

/// A seed for a new shuffle.
pub(crate) fn seed() -> u32 {
    // Where there is no chance to be had, one fixed shuffle will do.
    getrandom::u32().unwrap_or(1)
}

/// The value under `name` in a list of `name=value`.
fn value<'a>(list: &'a str, separator: char, name: &str) -> Option<&'a str> {
    list.split(separator).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use app::{catalog::Order, text::Lang, theme::Theme};
    use http::{HeaderMap, Request, header};

    use super::Visitor;

    fn visitor(uri: &str, cookie: &str, accepts: &str) -> Visitor {
        let request = Request::get(uri)
            .header("cookie", cookie)
            .header("accept-language", accepts)
            .body(())
            .unwrap();
        Visitor::of(&request.into_parts().0)
    }

    fn cookies(visitor: &Visitor) -> Vec<String> {
        let mut headers = HeaderMap::new();
        visitor.sign(&mut headers);
        let set = headers.get_all(header::SET_COOKIE).iter();
        set.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_language_is_asked_for_remembered_or_accepted() {
        let check = |uri: &str, cookie: &str, accepts: &str, lang: Lang, set: &[&str]| {
            let visitor = visitor(uri, cookie, accepts);
            assert_eq!(visitor.lang, lang, "{uri} {cookie} {accepts}");
            assert_eq!(cookies(&visitor), set, "{uri} {cookie} {accepts}");
        };
        check("/", "", "es-MX,es;q=0.9", Lang::Es, &[]);
        check("/?lang=en", "lang=es", "es", Lang::En, &["lang=en"]);
        check("/?lang=tlh", "a=b; lang=es", "en", Lang::Es, &[]);
        check("/", "", "", Lang::En, &[]);
    }

    #[test]
    fn order_and_theme_are_asked_for_or_remembered() {
        let check = |uri: &str, cookie: &str, order: Order, theme: Theme, set: &[&str]| {
            let visitor = visitor(uri, cookie, "");
            assert_eq!((visitor.order, visitor.theme), (order, theme), "{uri} {cookie}");
            assert_eq!(cookies(&visitor), set, "{uri} {cookie}");
        };
        check("/", "", Order::Feed, Theme::Auto, &[]);
        check("/", "theme=dark; order=newest", Order::Newest, Theme::Dark, &[]);
        check("/?order=feed", "order=newest", Order::Feed, Theme::Auto, &["order=feed"]);
        check("/?theme=light&q=a", "", Order::Feed, Theme::Light, &["theme=light"]);
        check("/?order=x&theme=x", "", Order::Feed, Theme::Auto, &[]);
        check("/", "order=shuffle.7", Order::Shuffle(7), Theme::Auto, &[]);
        let shuffle = "/?theme=auto&order=shuffle.9";
        check(shuffle, "", Order::Shuffle(9), Theme::Auto, &["order=shuffle.9", "theme=auto"]);
    }

    #[test]
    fn a_browser_holds_the_stylesheet_of_one_version() {
        let check = |cookie: &str, version: &str, holds: bool| {
            let visitor = visitor("/", cookie, "");
            assert_eq!(visitor.has_style(version), holds, "{cookie} {version}");
            assert_eq!(cookies(&visitor), [""; 0], "the server sets no cookie for it");
        };
        check("", "a1", false);
        check("lang=en; style=a1", "a1", true);
        check("style=a0", "a1", false);
        check("style=", "a1", false);
        check("xstyle=a1", "a1", false);
    }

    #[test]
    fn a_shuffle_without_a_seed_draws_one() {
        let drawn = visitor("/?order=shuffle", "order=shuffle.7", "");
        let Order::Shuffle(seed) = drawn.order else { panic!("{drawn:?}") };
        assert_eq!(cookies(&drawn), [format!("order=shuffle.{seed}")]);
    }
}
