//! A store that refuses: what it says in its own words, and what the operator is told in ours.

use std::{
    process::Output,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
};
use carrete::{
    config::{BucketSettings, Optional},
    storage::{Store as _, s3::Bucket},
};
use serde_json::Value;

use crate::{
    fixtures::Streams,
    program::{carrete_logging, carrete_verb},
    server::Server,
};

const ACCESS_KEY: &str = "AKIACARRETETEST";
const SECRET_KEY: &str = "a-secret-that-is-never-shown";
/// What a store's own words hold beside the code.
const THEIRS: &str = "<Message>words of theirs</Message><AWSAccessKeyId>AKIACARRETETEST\
    </AWSAccessKeyId><StringToSign>AWS4-HMAC-SHA256</StringToSign><HostId>host-of-theirs</HostId>";

/// The list of an empty bucket.
const EMPTY: &str = "<ListBucketResult><Name>films</Name><KeyCount>0</KeyCount>\
    <IsTruncated>false</IsTruncated></ListBucketResult>";

/// A store that answers everything so.
fn refusing(status: u16, code: &str, more: &str, region: Option<&'static str>) -> Router {
    let status = StatusCode::from_u16(status).expect("a status");
    let body = format!("<Error><Code>{code}</Code>{more}{THEIRS}</Error>");
    answering(status, body, region)
}

fn answering(status: StatusCode, body: String, region: Option<&'static str>) -> Router {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, "application/xml".parse().expect("a value"));
    if let Some(region) = region {
        headers.insert("x-amz-bucket-region", region.parse().expect("a value"));
    }
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}");
    Router::new().fallback(move || async move { (status, headers, body) })
}

fn says_nothing_of_theirs(text: &str) {
    for theirs in ["of-theirs", "of theirs", ACCESS_KEY, SECRET_KEY, "HMAC", "127.0.0.1"] {
        assert!(!text.contains(theirs), "{theirs} in {text}");
    }
}

/// What the doctor says of the bucket; it is all that is wrong.
fn of_bucket(output: &Output) -> (String, String) {
    let checks: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    let about =
        |check: &&Value| check["check"].as_str().is_some_and(|name| name.starts_with("bucket"));
    let all: Vec<_> = checks.iter().filter(about).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    let check = all[0];
    assert_eq!((&check["check"], &check["ok"]), (&"bucket \"films\"".into(), &false.into()));
    let text = |key: &str| check[key].as_str().expect("a sentence").to_owned();
    (text("message"), text("fix"))
}

/// Waits until the log has a line with this; answers the line.
async fn until_logged(log: &std::path::Path, what: &str) -> String {
    for _ in 0..600 {
        let text = std::fs::read_to_string(log).expect("a log");
        if let Some(line) = text.lines().find(|line| line.contains(what)) {
            return line.to_owned();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("nothing is logged of {what}: {}", std::fs::read_to_string(log).expect("a log"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_is_told_with_what_mends_it() {
    let streams = Streams::new();
    streams.channel("a");
    let store = Server::new(refusing(403, "AccessDenied", "", None)).await;
    let settings = [
        ("BUCKET_NAME", "films"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", &*store.url("")),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ("SOURCE_REFRESH_S", "1"),
    ];
    let log = streams.outside("log");
    let file = std::fs::File::create(&log).expect("a file");
    let server = carrete_logging(&streams, &settings, file).await;
    server.until_ids(&["a"]).await;
    let region = "<Region>eu-west-1</Region>";
    for (status, code, more, place, what, mends) in [
        (403, "AccessDenied", "", None, "may not read", "s3:ListBucket and s3:GetObject"),
        (403, "RequestTimeTooSkewed", "", None, "clocks", "set this host's clock"),
        (400, "AuthorizationHeaderMalformed", region, None, "region", "AWS_REGION=eu-west-1"),
        (301, "PermanentRedirect", "", Some("sa-east-1"), "region", "AWS_REGION=sa-east-1"),
        (400, "AuthorizationHeaderMalformed", "", None, "region", "set AWS_REGION to that one"),
        (404, "NoSuchBucket", "", None, "no bucket \"films\"", "BUCKET_NAME"),
        (403, "InvalidAccessKeyId", "", None, "does not know", "mend AWS_ACCESS_KEY_ID"),
        (400, "ExpiredToken", "", None, "session token", "AWS_SESSION_TOKEN anew"),
        (403, "SignatureDoesNotMatch", "", None, "secret key", "mend AWS_SECRET_ACCESS_KEY"),
    ] {
        store.becomes(refusing(status, code, more, place));
        // The log says it in a sentence,
        let line = until_logged(&log, mends).await;
        says_nothing_of_theirs(&line);
        assert!(line.contains(what), "{code}: {line}");
        // and whoever asks for the health a word that names nothing of this house.
        let health = server.until("/api/health", |health| health["status"] == "degraded").await;
        assert_eq!(health["reasons"], serde_json::json!(["bucket_away"]), "{code}");
        assert_eq!(health["channels"], 1, "{code}");

        let output = carrete_verb(&["doctor", "--json", "--port", "0"], &streams, &settings).await;
        assert_eq!(output.status.code(), Some(1), "{code}");
        says_nothing_of_theirs(&String::from_utf8_lossy(&output.stderr));
        let (message, fix) = of_bucket(&output);
        assert!(message.contains(what) && fix.contains(mends), "{code}: {message}; {fix}");
        says_nothing_of_theirs(&format!("{message} {fix}"));
        assert!(!format!("{message}{fix}").contains('\n'), "{code}: {message}; {fix}");
    }

    store.becomes(answering(StatusCode::OK, EMPTY.to_owned(), None));
    server.until("/api/health", |health| health["status"] == "ok").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_token_goes_along_with_each_request() {
    let seen: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
    let note = seen.clone();
    let store = move |headers: HeaderMap| async move {
        let token = headers.get("x-amz-security-token").and_then(|token| token.to_str().ok());
        note.lock().expect("no panic").push(token.map(str::to_owned));
        EMPTY
    };
    let store = Server::new(Router::new().fallback(store)).await;
    for token in ["", "given-for-a-while"] {
        let settings = BucketSettings {
            bucket_name: "films".into(),
            region: "us-east-1".into(),
            endpoint_url: Optional(store.url("").parse().ok()),
            access_key_id: ACCESS_KEY.parse().expect("a key"),
            secret_access_key: SECRET_KEY.parse().expect("a key"),
            session_token: token.parse().expect("a token"),
            ..BucketSettings::default()
        };
        assert!(!format!("{settings:?}").contains("given-for"), "{settings:?}");
        let bucket = Bucket::new(&settings).expect("a bucket");
        assert_eq!(bucket.list().await.expect("a list").len(), 0);
    }
    let seen = seen.lock().expect("no panic").clone();
    assert_eq!(seen, [None, Some("given-for-a-while".to_owned())]);
}
