//! The pages: who asks for what in which language, rendered on the server, with their headers.

use std::sync::Arc;

use app::{
    catalog::{Catalog, ChannelId},
    pulse::Pulse,
    start::{PageRequest, Wanted},
    text::Lang,
};
use axum::{
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Request, StatusCode, header, request::Parts};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_axum::ResponseOptions;
use unicode_normalization::UnicodeNormalization;

use crate::{forwarded, state::AppState};

/// The cookie that remembers `?lang=`.
const LANG_COOKIE: &str = "lang";
/// For a year, in seconds.
const LANG_COOKIE_S: u32 = 31_536_000;

/// `GET /`: the feed from its first channel.
pub(crate) async fn first(State(state): State<AppState>, request: Request<Body>) -> Response {
    render(state, Wanted::First, request).await
}

/// `GET /c/{id}`: the feed at one channel.
pub(crate) async fn channel(
    State(state): State<AppState>,
    name: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Response {
    let name = name.map_or_else(|_| String::new(), |Path(name)| name.nfc().collect::<String>());
    let wanted = match ChannelId::parse(&name) {
        Ok(id) => Wanted::Channel(id),
        Err(_) => Wanted::Nothing(None),
    };
    render(state, wanted, request).await
}

/// `GET /pulse`: how fast it feels, for the operator.
pub(crate) async fn pulse(State(state): State<AppState>, request: Request<Body>) -> Response {
    render(state, Wanted::Pulse, request).await
}

/// Every other address that a browser asks for.
pub(crate) async fn nothing(State(state): State<AppState>, request: Request<Body>) -> Response {
    render(state, Wanted::Nothing(None), request).await
}

async fn render(state: AppState, wanted: Wanted, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let (lang, chosen) = language(&parts);
    let status = match &wanted {
        Wanted::First | Wanted::Pulse => StatusCode::OK,
        Wanted::Nothing(_) => StatusCode::NOT_FOUND,
        Wanted::Channel(id) => match state.catalog.current() {
            Some(snapshot) if snapshot.get(id).is_none() => StatusCode::NOT_FOUND,
            _ => StatusCode::OK,
        },
    };
    let page = PageRequest {
        wanted,
        lang,
        base_url: state.base_url(&parts),
        join_url: state.join_address(&parts),
        stylesheet: state.site.stylesheet().to_owned(),
    };
    let catalog: Arc<dyn Catalog> = Arc::new(state.catalog.clone());
    let pulse: Arc<dyn Pulse> = Arc::new(state.pulse.clone());
    let reload_port = state.site.reload_port();
    let host = forwarded::direct_host(&parts.headers, &parts.uri).unwrap_or_default().to_owned();
    let options = state.site.options().clone();
    let context = move || {
        provide_context(Arc::clone(&catalog));
        provide_context(Arc::clone(&pulse));
        // After leptos_axum has provided the nonce of this response.
        if let Some(policy) = use_nonce().and_then(|nonce| policy(&nonce, reload_port, &host)) {
            expect_context::<ResponseOptions>()
                .insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
    };
    let document = move || app::shell(options.clone(), page.clone());
    let renderer = leptos_axum::render_app_async_with_context(context, document);
    let mut response = renderer(Request::from_parts(parts, body)).await.into_response();
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-language, cookie"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(lang.tag()));
    if chosen {
        let cookie =
            format!("{LANG_COOKIE}={}; Path=/; Max-Age={LANG_COOKIE_S}; SameSite=Lax", lang.tag());
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            headers.insert(header::SET_COOKIE, cookie);
        }
    }
    response
}

/// The page's language, and whether `?lang=` chose it: then it is remembered.
fn language(parts: &Parts) -> (Lang, bool) {
    let asked = parts
        .uri
        .query()
        .into_iter()
        .flat_map(|query| query.split('&'))
        .find_map(|pair| pair.strip_prefix("lang="))
        .and_then(Lang::parse);
    if let Some(lang) = asked {
        return (lang, true);
    }
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let remembered = text(header::COOKIE)
        .into_iter()
        .flat_map(|cookies| cookies.split(';'))
        .find_map(|cookie| cookie.trim().strip_prefix(LANG_COOKIE)?.strip_prefix('='))
        .and_then(Lang::parse);
    let accepted = || text(header::ACCEPT_LANGUAGE).map(Lang::accept).unwrap_or_default();
    (remembered.unwrap_or_else(accepted), false)
}

/// The Content-Security-Policy (CSP Level 3) of a page. On plain http nothing may upgrade requests
/// to https, which a LAN does not have.
fn policy(nonce: &str, reload_port: Option<u32>, host: &str) -> Option<HeaderValue> {
    let reload = match (reload_port, host.rsplit_once(':').map_or(host, |(name, _)| name)) {
        (Some(port), name) if !name.is_empty() => format!(" ws://{name}:{port}"),
        _ => String::new(),
    };
    let policy = format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; \
         style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; \
         connect-src 'self'{reload}; worker-src 'self'; font-src 'self'; object-src 'none'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    );
    HeaderValue::try_from(policy).ok()
}

#[cfg(test)]
mod tests {
    use app::text::Lang;
    use http::Request;

    use super::{language, policy};

    #[test]
    fn a_language_is_asked_for_remembered_or_accepted() {
        let check = |uri: &str, cookie: &str, accepts: &str, expected: (Lang, bool)| {
            let request = Request::get(uri)
                .header("cookie", cookie)
                .header("accept-language", accepts)
                .body(())
                .unwrap();
            assert_eq!(language(&request.into_parts().0), expected, "{uri} {cookie} {accepts}");
        };
        check("/", "", "es-MX,es;q=0.9", (Lang::Es, false));
        check("/?lang=en", "lang=es", "es", (Lang::En, true));
        check("/?lang=tlh", "a=b; lang=es", "en", (Lang::Es, false));
        check("/", "", "", (Lang::En, false));
    }

    #[test]
    fn the_policy_allows_no_inline_script() {
        let policy = policy("abc", None, "tv.lan:8080").unwrap();
        let text = policy.to_str().unwrap();
        let scripts = text.split(';').find(|part| part.trim().starts_with("script-src")).unwrap();
        assert!(!scripts.contains("unsafe-inline") && !scripts.contains("'unsafe-eval'"));
        assert!(!text.contains("upgrade-insecure-requests"));
    }
}
