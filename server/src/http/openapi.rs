//! The whole HTTP surface described as OpenAPI, and a page to read it. Which addresses there are is
//! in `table`, what bodies look like in `form`.

mod form;
mod page;
mod table;

use std::sync::OnceLock;

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, Request, header};
use utoipa::openapi::{
    Content, InfoBuilder, License, OpenApi, PathItem, Paths, Ref, RefOr, Required, ResponseBuilder,
    Schema,
    path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathsBuilder},
    request_body::RequestBodyBuilder,
    schema::{ArrayBuilder, ObjectBuilder, Type},
    tag::TagBuilder,
};

use self::table::{ADDRESSES, Address, GROUPS, Told};
use super::{pages, state::AppState, visitor::Visitor};

/// The document, made anew.
pub fn document() -> OpenApi {
    let mut document = form::forms();
    document.info = InfoBuilder::new()
        .title("Carrete")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(License::new("MIT")))
        .build();
    document.tags = Some(
        GROUPS
            .iter()
            .map(|(name, about)| TagBuilder::new().name(*name).description(Some(*about)).build())
            .collect(),
    );
    document.paths = paths();
    document
}

const ABOUT: &str = "Reels from a folder, a bucket and other servers. Addresses in answers are \
    relative to this host. Every error is a status and a code with a sentence. Objects and lists of \
    codes may gain members; pass over what you do not know. Wherever GET answers, HEAD does too. \
    A head of more than 32 kB is answered with 431 and nothing else.";

/// `GET /api/openapi.json`.
pub(crate) async fn tell() -> Response {
    static JSON: OnceLock<Bytes> = OnceLock::new();
    let json = JSON.get_or_init(|| document().to_json().unwrap_or_default().into()).clone();
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], json).into_response()
}

/// `GET /api/docs`.
pub(crate) async fn docs(State(state): State<AppState>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let visitor = Visitor::of(&parts);
    let (lang, theme) = (visitor.lang, visitor.theme);
    let stylesheet = state.site.stylesheet().address.to_string();
    let shown = move || page::shown(document(), lang, theme, stylesheet.clone());
    pages::respond(&state, &visitor, shown, Request::from_parts(parts, body)).await
}

fn paths() -> Paths {
    let paths = ADDRESSES.iter().fold(PathsBuilder::new(), |paths, address| {
        paths.path(address.path, PathItem::new(address.method.clone(), operation(address)))
    });
    paths.build()
}

fn operation(address: &Address) -> OperationBuilder {
    let mut operation = OperationBuilder::new()
        .tag(address.group)
        .summary(Some(address.what))
        .description((!address.more.is_empty()).then_some(address.more));
    for (place, name, what) in address.takes {
        operation = operation.parameter(parameter(place.clone(), name, what));
    }
    if let Some(told) = &address.body {
        let body = RequestBodyBuilder::new().required(Some(Required::True));
        operation = operation
            .request_body(Some(body.content(told.media_type(), Content::new(told.form())).build()));
    }
    for (status, what, told) in address.answers {
        let mut response = ResponseBuilder::new().description(*what);
        if let Some(told) = told {
            response = response.content(told.media_type(), Content::new(told.form()));
        }
        operation = operation.response(status.to_string(), response.build());
    }
    let other = ResponseBuilder::new().description("The address does not answer this method.");
    let fault = Told::One("Fault");
    let other = other.content(fault.media_type(), Content::new(fault.form())).build();
    operation.response("405", other)
}

fn parameter(place: ParameterIn, name: &str, what: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        // Of what stands in a path this is passed over: it is always required.
        .required(Required::False)
        .description(Some(what))
        .schema(Some(text()))
        .build()
}

fn text() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).build().into()
}

impl Told {
    fn media_type(&self) -> &'static str {
        match self {
            Self::One(_) | Self::Many(_) | Self::Ids => "application/json",
            Self::Text(media_type) => media_type,
        }
    }

    fn form(&self) -> Option<RefOr<Schema>> {
        let named = |name| RefOr::<Schema>::Ref(Ref::from_schema_name(name));
        Some(match self {
            Self::One(name) => named(*name),
            Self::Many(name) => ArrayBuilder::new().items(named(*name)).build().into(),
            Self::Ids => ArrayBuilder::new().items(text()).build().into(),
            Self::Text(_) => text(),
        })
    }
}
