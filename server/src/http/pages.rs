//! The pages: who asks for what in which language, rendered on the server, with their headers.

use std::sync::Arc;

use app::{
    catalog::{Catalog, ChannelId},
    pulse::Pulse,
    start::{PageRequest, Wanted},
};
use axum::{
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Request, StatusCode, header};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_axum::ResponseOptions;
use unicode_normalization::UnicodeNormalization;

use super::{state::AppState, visitor::Visitor};
use crate::client_address;

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
    let visitor = Visitor::of(&parts);
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
        lang: visitor.lang,
        theme: visitor.theme,
        order: visitor.order,
        base_url: state.base_url(&parts),
        join_url: state.join_address(&parts),
        is_open: state.is_open_to_others(&parts),
        folder: state.folder_for(&parts),
        stylesheet: state.site.stylesheet().clone(),
        has_stylesheet: visitor.has_style(&state.site.stylesheet().version),
        early: state.site.early().to_owned(),
    };
    let options = state.site.options().clone();
    let document = move || app::shell(options.clone(), page.clone());
    let request = Request::from_parts(parts, body);
    let mut response = respond(&state, &visitor, document, request).await;
    *response.status_mut() = status;
    response
}

/// Renders a whole document, with the headers that every page has.
pub(crate) async fn respond<V: IntoView + 'static>(
    state: &AppState,
    visitor: &Visitor,
    document: impl Fn() -> V + Clone + Send + Sync + 'static,
    request: Request<Body>,
) -> Response {
    let catalog: Arc<dyn Catalog> = Arc::new(state.catalog.clone());
    let pulse: Arc<dyn Pulse> = Arc::new(state.rum.clone());
    let reload_port = state.site.reload_port();
    let host = client_address::direct_host(request.headers(), request.uri()).unwrap_or_default();
    let host = host.to_owned();
    let direct = state.direct.clone();
    let context = move || {
        provide_context(Arc::clone(&catalog));
        provide_context(Arc::clone(&pulse));
        // After leptos_axum has provided the nonce of this response.
        if let Some(policy) =
            use_nonce().and_then(|nonce| policy(&nonce, reload_port, &host, direct.as_deref()))
        {
            expect_context::<ResponseOptions>()
                .insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
    };
    let renderer = leptos_axum::render_app_async_with_context(context, document);
    let mut response = renderer(request).await.into_response();
    visitor.sign(response.headers_mut());
    response
}

/// The Content-Security-Policy (CSP Level 3) of a page. On plain http nothing may upgrade requests
/// to https, which a LAN does not have. Captions of a playlist stand in `track` elements that hls.js
/// makes, each with an empty `data:` address.
fn policy(
    nonce: &str,
    reload_port: Option<u32>,
    host: &str,
    direct: Option<&str>,
) -> Option<HeaderValue> {
    let reload = match (reload_port, host.rsplit_once(':').map_or(host, |(name, _)| name)) {
        (Some(port), name) if !name.is_empty() => format!(" ws://{name}:{port}"),
        _ => String::new(),
    };
    let direct = direct.map(|origin| format!(" {origin}")).unwrap_or_default();
    let policy = format!(
        "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; \
         style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
         media-src 'self' blob: data:{direct}; connect-src 'self'{direct}{reload}; \
         worker-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'self'"
    );
    HeaderValue::try_from(policy).ok()
}

#[cfg(test)]
mod tests {
    use super::policy;

    #[test]
    fn the_policy_allows_no_inline_script() {
        let policy = policy("abc", None, "tv.lan:8080", None).unwrap();
        let text = policy.to_str().unwrap();
        let scripts = text.split(';').find(|part| part.trim().starts_with("script-src")).unwrap();
        assert!(!scripts.contains("unsafe-inline") && !scripts.contains("'unsafe-eval'"));
        assert!(!text.contains("upgrade-insecure-requests"));
    }

    #[test]
    fn media_may_come_from_where_players_are_led() {
        let origins = |direct: Option<&str>| {
            let policy = policy("abc", None, "tv.lan", direct).unwrap();
            let text = policy.to_str().unwrap().to_owned();
            let parts: Vec<String> = text.split("; ").map(str::to_owned).collect();
            let of = |name: &str| parts.iter().find(|part| part.starts_with(name)).cloned();
            (of("connect-src").unwrap(), of("media-src").unwrap(), text)
        };
        let (connect, media, _) = origins(None);
        assert_eq!((&*connect, &*media), ("connect-src 'self'", "media-src 'self' blob: data:"));
        let (connect, media, text) = origins(Some("https://films.s3.example"));
        assert!(connect.ends_with(" https://films.s3.example"), "{connect}");
        assert!(media.ends_with(" https://films.s3.example"), "{media}");
        assert_eq!(text.matches("films.s3").count(), 2, "{text}");
    }
}
