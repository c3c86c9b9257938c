//! Every address of the server, on one page.

mod encoded;
mod well_formed;

use std::{sync::Arc, time::Duration};

use app::{catalog::Catalog, error::AppError};
use axum::{
    Router,
    body::Body,
    extract::{MatchedPath, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use http::{HeaderValue, Method, StatusCode, header};
use http_body_util::BodyExt;
use leptos::prelude::provide_context;
use tower::ServiceBuilder;
use tower_http::{
    CompressionLevel,
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{DefaultPredicate, Predicate},
    },
    cors::CorsLayer,
    limit::RequestBodyLimitLayer,
    services::{ServeDir, ServeFile},
    set_header::SetResponseHeaderLayer,
    timeout::RequestBodyDeadlineLayer,
};

use self::{
    encoded::{Encodings, encoded},
    well_formed::well_formed,
};
use super::{channels, guide, health::health, m3u, openapi, pages, qr, state::AppState};
use crate::{delivery, error::ApiError, metrics::Metrics, rum, websocket};

/// Bytes of a request's body where a server function or a report may be asked for,
const BODY_MAX_BYTES: usize = 64 * 1024;
/// and where nothing but an address is asked for: what some clients send all the same.
const NO_BODY: usize = 1024;
/// Bytes of a server function's error.
const ERROR_MAX_BYTES: usize = 4 * 1024;
/// All of a body must have arrived by then, however it comes.
const BODY_DEADLINE: Duration = Duration::from_secs(10);
/// What files are asked for by.
const READS: HeaderValue = HeaderValue::from_static("GET,HEAD");
/// The addresses that no pattern matches are counted as one.
const NO_ROUTE: &str = "other";
/// Pages are compressed while somebody waits: a middling level.
const COMPRESSION: i32 = 4;

/// All addresses, with their limits.
pub fn router(state: AppState) -> Router {
    let root = state.site.root();
    let folder =
        |name: &str| ServeDir::new(root.join(name)).precompressed_br().precompressed_gzip();
    let file = |name: &str| ServeFile::new(root.join(name)).precompressed_br().precompressed_gzip();

    let pages = Router::new()
        .route("/", get(pages::first))
        .route("/c/{id}", get(pages::channel))
        .route("/guide", get(guide::page))
        .route("/guide/rolls/{number}", get(guide::roll))
        .route("/pulse", get(pages::pulse))
        .route("/api/docs", get(openapi::docs))
        .fallback(fallback)
        .layer(SetResponseHeaderLayer::if_not_present(
            header::REFERRER_POLICY,
            HeaderValue::from_static("same-origin"),
        ));
    let api = Router::new()
        .route("/api/channels", get(channels::list_ids))
        .route("/api/channels/{id}", get(channels::one_media))
        .route("/api/videos", get(channels::list_videos))
        .route("/api/fn/channels", get(server_function))
        .route("/api", any(unknown))
        .route("/api/health", get(health))
        .route("/api/pulse", post(rum::hear))
        .route("/api/openapi.json", get(openapi::tell))
        .route("/api/{*rest}", any(unknown))
        .route("/channels.m3u", get(m3u::list))
        .route("/qr.svg", get(qr::svg))
        .route("/metrics", get(rum::tell))
        .layer(middleware::from_fn_with_state(Encodings::default(), encoded))
        .layer(cors(&state));
    let (pages, api) = (bounded(pages, BODY_MAX_BYTES), bounded(api, BODY_MAX_BYTES));
    let streams = Router::new()
        .route("/streams/{*path}", get(delivery::serve).options(delivery::preflight))
        .route("/streams", any(unknown))
        .route("/streams/", any(unknown))
        .layer(middleware::map_response_with_state(state.metrics.clone(), count_bytes));
    let built = Router::new()
        .nest_service("/pkg", folder("pkg"))
        .nest_service("/vendor", folder("vendor"))
        .route_service("/early.mjs", file("early.mjs"))
        .layer(SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, immutable))
        // It goes with a document that is never kept, so it is of the same age.
        .route_service("/guide.css", file("guide.css"))
        .merge(
            Router::new()
                .route_service("/pages.css", file("pages.css"))
                .route_service("/pulse.css", file("pulse.css"))
                .route_service("/pulse.js", file("pulse.js"))
                .route_service("/api.css", file("api.css"))
                .route_service("/icon.svg", file("icon.svg"))
                .route_service("/icons.svg", file("icons.svg"))
                .route_service("/og.jpg", file("og.jpg"))
                .layer(SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, for_a_day)),
        )
        .layer(middleware::map_response(as_of_files));

    let (streams, built) = (bounded(streams, NO_BODY), bounded(built, NO_BODY));
    Router::new()
        .merge(pages)
        .merge(api)
        .layer(
            CompressionLayer::new()
                .quality(CompressionLevel::Precise(COMPRESSION))
                .compress_when(DefaultPredicate::new().and(has_no_tag)),
        )
        .merge(bounded(Router::new().route("/ws", get(websocket::upgrade)), NO_BODY))
        .merge(streams)
        .merge(built)
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .layer(middleware::from_fn(well_formed))
        .layer(middleware::map_response(one_form_of_errors))
        .layer(CatchPanicLayer::custom(|_| ApiError::Internal.into_response()))
        // Outside of whoever makes an answer, so that every answer has them.
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-cache"),
        ))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(middleware::from_fn_with_state(state.metrics.clone(), count_requests))
        .with_state(state)
}

/// Routes whose requests carry at most so many bytes, all of which arrive in time.
fn bounded(routes: Router<AppState>, bytes: usize) -> Router<AppState> {
    routes.layer(
        ServiceBuilder::new()
            .layer(RequestBodyLimitLayer::new(bytes))
            .layer(RequestBodyDeadlineLayer::new(BODY_DEADLINE)),
    )
}

/// Counts what is answered by the pattern of its address: there are as many as there are above.
async fn count_requests(
    State(metrics): State<Metrics>,
    route: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    metrics.answered(route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str), response.status());
    response
}

/// Counts what leaves, piece by piece.
async fn count_bytes(State(metrics): State<Metrics>, response: Response) -> Response {
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            metrics.served(frame.data_ref().map_or(0, |data| data.len()));
            frame
        }))
    })
}

/// Files whose address changes with their content; not what is not there.
fn immutable<B>(response: &http::Response<B>) -> Option<HeaderValue> {
    is_found(response).then(|| HeaderValue::from_static("public, max-age=31536000, immutable"))
}

/// Files that are shown also while the server is away.
fn for_a_day<B>(response: &http::Response<B>) -> Option<HeaderValue> {
    is_found(response).then(|| HeaderValue::from_static("public, max-age=86400"))
}

fn is_found<B>(response: &http::Response<B>) -> bool {
    response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED
}

/// A built file that cannot be read now (no descriptor is left, a disk is away) is there later; and
/// whoever asks for one in another way is told how.
async fn as_of_files(mut response: Response) -> Response {
    match response.status() {
        StatusCode::INTERNAL_SERVER_ERROR => return ApiError::Unreadable.into_response(),
        StatusCode::METHOD_NOT_ALLOWED => {
            response.headers_mut().insert(header::ALLOW, READS);
        }
        _ => {}
    }
    response
}

/// What has an entity tag is encoded where the tag says so too.
fn has_no_tag(
    _: StatusCode,
    _: http::Version,
    headers: &http::HeaderMap,
    _: &http::Extensions,
) -> bool {
    !headers.contains_key(header::ETAG)
}

/// The API is for our own pages, and for those of the sites that the operator names.
fn cors(state: &AppState) -> CorsLayer {
    let origins = state.config.network.cors_origins.0.iter();
    let origins: Vec<HeaderValue> =
        origins.filter_map(|origin| HeaderValue::try_from(origin.as_str()).ok()).collect();
    if origins.is_empty() {
        return CorsLayer::new();
    }
    CorsLayer::new().allow_origin(origins).allow_methods([Method::GET, Method::HEAD])
}

/// Server functions, with what they want to know.
async fn server_function(State(state): State<AppState>, request: Request) -> Response {
    let catalog: Arc<dyn Catalog> = Arc::new(state.catalog.clone());
    let context = move || provide_context(Arc::clone(&catalog));
    let answer =
        leptos_axum::handle_server_fns_with_context(context, request).await.into_response();
    with_its_status(answer).await
}

/// A server function answers every error with 500; what is not there is 404, what was asked wrongly 400.
async fn with_its_status(answer: Response) -> Response {
    if answer.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, ERROR_MAX_BYTES).await.unwrap_or_default();
    parts.status = match serde_json::from_slice(&body) {
        Ok(AppError::NotFound) => StatusCode::NOT_FOUND,
        Ok(AppError::BadRequest(_)) => StatusCode::BAD_REQUEST,
        Ok(AppError::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
        Ok(AppError::Transport(_)) | Err(_) => parts.status,
    };
    Response::from_parts(parts, body.into())
}

/// What layers and folders answer by themselves gets the form of our errors, and keeps what they said
/// of methods.
async fn one_form_of_errors(mut response: Response) -> Response {
    let ours = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes().starts_with(b"application/json")
            || kind.as_bytes().starts_with(b"text/html")
    });
    let error = match response.status() {
        _ if ours => return response,
        StatusCode::NOT_FOUND => ApiError::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => ApiError::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge,
        _ => return response,
    };
    let allow = response.headers_mut().remove(header::ALLOW);
    let mut response = error.into_response();
    if let Some(allow) = allow {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// An address below `/api` or `/streams` that is none.
async fn unknown() -> ApiError {
    ApiError::NotFound
}

/// Any other address: a page for a browser.
async fn fallback(state: State<AppState>, request: Request) -> Response {
    pages::nothing(state, request).await
}
