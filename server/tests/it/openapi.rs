//! The description of the API against the sources of the router: what the one has the other has.

use std::{collections::BTreeSet, fs, path::Path};

use carrete::http::openapi;

/// A method and a path in braces.
type Route = (String, String);

/// The text up to the end of the bracket that is open.
fn inside(text: &str) -> &str {
    let mut depth = 1;
    let end = text.char_indices().find(|(_, c)| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth == 0
    });
    &text[..end.map_or(text.len(), |(at, _)| at)]
}

/// What the router answers. Addresses that are there to say that there is nothing do not count.
fn routes(source: &str) -> BTreeSet<Route> {
    let mut found = BTreeSet::new();
    for (word, file, end) in [
        (".route(\"", false, ""),
        (".route_service(\"", true, ""),
        (".nest_service(\"", true, "/{path}"),
    ] {
        for (at, _) in source.match_indices(word) {
            let (path, rest) = source[at + word.len()..].split_once('"').expect("a path");
            let path = format!("{}{end}", path.replace("{*", "{"));
            let handlers = inside(rest);
            if handlers.contains("any(unknown)") {
                continue;
            }
            let mut methods = Vec::new();
            for method in ["get", "post", "put", "patch", "delete", "options"] {
                let call = format!("{method}(");
                let called = handlers.match_indices(&call).any(|(at, _)| {
                    let before = handlers[..at].chars().next_back();
                    before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
                });
                if called || (file && method == "get") {
                    methods.push(method);
                }
            }
            assert!(!methods.is_empty(), "{path} is answered by no method that this test knows");
            found.extend(methods.into_iter().map(|method| (method.to_owned(), path.clone())));
        }
    }
    found
}

fn told() -> BTreeSet<Route> {
    let document = serde_json::to_value(openapi::document()).expect("JSON");
    let paths = document["paths"].as_object().expect("paths").clone();
    let each = paths.into_iter().flat_map(|(path, item)| {
        let methods: Vec<_> = item.as_object().expect("methods").keys().cloned().collect();
        methods.into_iter().map(move |method| (method, path.clone()))
    });
    each.collect()
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let router = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/router.rs");
    let routes = routes(&fs::read_to_string(router).expect("the router"));
    assert!(routes.len() > 20, "{routes:?}");
    let told = told();
    let missing: Vec<_> = routes.difference(&told).collect();
    let invented: Vec<_> = told.difference(&routes).collect();
    assert!(missing.is_empty(), "give these a row in openapi/table.rs: {missing:?}");
    assert!(invented.is_empty(), "the router does not have these: {invented:?}");
}

#[test]
fn a_route_without_a_row_is_seen() {
    let of = |source: &str| routes(source).into_iter().collect::<Vec<_>>();
    let pair = |method: &str, path: &str| (method.to_owned(), path.to_owned());
    let two = r#".route("/a/{*rest}", get(a::serve).options(a::ask)) .route("/b", post(widget))"#;
    assert_eq!(
        of(two),
        [pair("get", "/a/{rest}"), pair("options", "/a/{rest}"), pair("post", "/b")]
    );
    assert_eq!(of(r#".nest_service("/c", folder("c")).layer(get())"#), [pair("get", "/c/{path}")]);
    assert_eq!(of(r#".route("/d", any(unknown)).route_service("/e.css", file("e.css"))"#).len(), 1);
}

#[test]
fn the_document_is_whole() {
    let document = serde_json::to_value(openapi::document()).expect("JSON");
    let text = document.to_string();
    for (at, _) in text.match_indices("\"$ref\":\"#") {
        let pointer = text[at + 9..].split('"').next().expect("a pointer");
        assert!(document.pointer(pointer).is_some(), "{pointer} leads nowhere");
    }
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let mut in_path: Vec<_> = parameters.iter().filter(|p| p["in"] == "path").collect();
            in_path
                .retain(|p| path.contains(&format!("{{{}}}", p["name"].as_str().expect("text"))));
            assert_eq!(in_path.len(), path.matches('{').count(), "{method} {path}");
            for parameter in &parameters {
                assert_eq!(parameter["required"], parameter["in"] == "path", "{path} {parameter}");
            }
            let answers = operation["responses"].as_object().expect("answers");
            assert!(answers.len() > 1 && answers.contains_key("405"), "{path}");
        }
    }
}
