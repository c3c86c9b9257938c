//! A bucket of another make: moto's server, which answers conditions and ranges as Amazon's does. Its
//! lists, its conditions, and the whole program before it. `make tools` installs it, in Python; without
//! it these tests fail.

use std::{
    env,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use carrete::{
    config::{BucketSettings, Optional},
    storage::{Object, Store as _, StoreError, http::Origin, local::FileVersion, s3::Bucket},
};
use futures_util::TryStreamExt;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};

use crate::{
    fixtures::{Streams, playlist, segment},
    program::{Running, carrete_with},
    server::named,
};

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The name of the bucket.
const NAME: &str = "films";
const KEY: &str = "AKIACARRETETEST";
/// It believes whoever signs at all.
const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AKIACARRETETEST/20260101/us-east-1/s3/\
                      aws4_request, SignedHeaders=host, Signature=0";

/// moto's server with one bucket; killed when dropped.
struct Moto {
    child: Child,
    url: String,
    client: Client,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where `make tools` puts its Python.
fn python() -> PathBuf {
    let set = |name: &str| env::var_os(name).map(PathBuf::from);
    let cache = set("CARRETE_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("carrete")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/carrete")));
    let python = cache.expect("a home").join("moto/bin/python");
    assert!(
        python.exists(),
        "moto is missing: run `make tools`, which installs it and wants Python"
    );
    python
}

impl Moto {
    /// Its lists come in pages of so many objects.
    async fn new(page: usize) -> Self {
        let mut child = Command::new(python())
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"])
            .env("MOTO_S3_DEFAULT_MAX_KEYS", page.to_string())
            .env("PYTHONUNBUFFERED", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("moto starts");
        let mut lines = BufReader::new(child.stderr.take().expect("its log")).lines();
        let told = lines.find_map(|line| {
            let line = line.ok()?;
            Some(line[line.find("http://127.0.0.1:")?..].trim().to_owned())
        });
        // It says every request, and would wait for somebody to read it.
        thread::spawn(move || lines.for_each(drop));
        let moto = Self { child, url: told.expect("its address"), client: crate::web::client() };
        let made = moto.ask(Method::PUT, "").send().await.expect("an answer");
        assert_eq!(made.status(), StatusCode::OK, "the bucket is made");
        moto
    }

    fn url(&self, key: &str) -> String {
        format!("{}/{NAME}/{key}", self.url)
    }

    fn ask(&self, method: Method, key: &str) -> RequestBuilder {
        self.client.request(method, self.url(key)).header("authorization", SIGNED)
    }

    /// Puts an object there that everybody may read; answers its entity tag.
    async fn put(&self, key: &str, content: impl Into<Vec<u8>>) -> String {
        let request = self.ask(Method::PUT, key).header("x-amz-acl", "public-read");
        let answer = request.body(content.into()).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{key}");
        header(&answer, "etag").to_owned()
    }

    async fn delete(&self, key: &str) {
        let answer = self.ask(Method::DELETE, key).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{key}");
    }

    /// A finished channel of three segments.
    async fn channel(&self, folder: &str) {
        for n in 0..3 {
            self.put(&format!("{folder}/playlist{n}.ts"), bytes(n)).await;
        }
        self.put(&format!("{folder}/playlist.m3u8"), playlist(0..3, true)).await;
    }

    fn bucket(&self) -> Bucket {
        let settings = BucketSettings {
            bucket_name: NAME.into(),
            region: "us-east-1".into(),
            endpoint_url: Optional(self.url.parse().ok()),
            access_key_id: KEY.parse().expect("a key"),
            secret_access_key: KEY.parse().expect("a key"),
            ..BucketSettings::default()
        };
        Bucket::new(&settings).expect("a bucket")
    }
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().expect("ASCII"))
}

/// What the segment of this number holds.
fn bytes(n: u8) -> Vec<u8> {
    segment(n).repeat(100)
}

async fn read(
    bucket: &Bucket,
    key: &str,
    stamp: FileVersion,
    part: &[usize; 2],
) -> Result<Vec<u8>, StoreError> {
    let content = bucket.read(key, stamp, part[0] as u64..part[1] as u64).await?;
    let chunks: Vec<_> = content.try_collect().await?;
    Ok(chunks.concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn its_objects_are_listed_in_pages_and_read_as_listed() {
    let moto = Moto::new(3).await;
    for n in 0..10 {
        moto.put(&format!("a/{n}.ts"), bytes(n)).await;
    }
    moto.put("a/un día & más.ts", bytes(10)).await;
    let bucket = moto.bucket();
    let objects = bucket.list().await.expect("a list");
    assert_eq!(objects.len(), 11);
    let stamp = |objects: &[Object], key: &str| {
        objects.iter().find(|object| object.key == key).expect("listed").stamp
    };
    let whole = bytes(0).len();
    for (n, key) in
        (0..10).map(|n| (n, format!("a/{n}.ts"))).chain([(10, "a/un día & más.ts".into())])
    {
        let stamp = stamp(&objects, &key);
        for part in [[0, whole], [0, 1], [1000, 5000], [whole - 1, whole]] {
            let got = read(&bucket, &key, stamp, &part).await.expect(&key);
            assert!(got == bytes(n)[part[0]..part[1]], "{key} {part:?}");
        }
    }

    // Another content of the same length, within the same second.
    let listed = stamp(&objects, "a/0.ts");
    moto.put("a/0.ts", bytes(20)).await;
    assert_eq!(read(&bucket, "a/0.ts", listed, &[0, whole]).await, Err(StoreError::Changed));
    let now = stamp(&bucket.list().await.expect("a list"), "a/0.ts");
    assert_ne!(now.version(), listed.version());
    assert!(read(&bucket, "a/0.ts", now, &[0, whole]).await == Ok(bytes(20)));
    moto.delete("a/0.ts").await;
    assert_eq!(read(&bucket, "a/0.ts", now, &[0, whole]).await, Err(StoreError::Gone));
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_hold() {
    let moto = Moto::new(1000).await;
    let tag = moto.put("a/list.m3u8", "#EXTM3U\n").await;
    // As it answers itself.
    for (name, value, status) in [
        ("if-none-match", &*tag, StatusCode::NOT_MODIFIED),
        ("if-none-match", "\"another\"", StatusCode::OK),
        ("if-match", &*tag, StatusCode::OK),
        ("if-match", "\"another\"", StatusCode::PRECONDITION_FAILED),
        ("range", "bytes=1-3", StatusCode::PARTIAL_CONTENT),
        ("range", "bytes=100-", StatusCode::RANGE_NOT_SATISFIABLE),
    ] {
        let answer = moto.ask(Method::GET, "a/list.m3u8").header(name, value).send().await;
        assert_eq!(answer.expect("an answer").status(), status, "{name}: {value}");
    }

    // As a server whose list is read again only where it has changed.
    let key = moto.url("a/list.m3u8");
    let origin = Origin::new("video", &key.parse().expect("an address"), &[]);
    let first = origin.page(&key, None).await.expect("a page").expect("a first one");
    assert_eq!(first.text, "#EXTM3U\n");
    let again = origin.page(&key, Some(&first.tag)).await.expect("an answer");
    assert!(again.is_none(), "it is the same");
    let found = origin.look(&key).await.expect("its state");
    moto.put("a/list.m3u8", "#EXTM3X\n").await;
    let second = origin.page(&key, Some(&first.tag)).await.expect("a page").expect("another");
    assert_eq!(second.text, "#EXTM3X\n");
    let stale = origin.read(&key, found.stamp, 0..8).await.map(drop);
    assert_eq!(stale, Err(StoreError::Changed));
    let found = origin.look(&key).await.expect("its state");
    let part: Vec<_> = origin
        .read(&key, found.stamp, 1..7)
        .await
        .expect("a part")
        .try_collect()
        .await
        .expect("all of it");
    assert_eq!(part.concat(), b"EXTM3X");
    moto.delete("a/list.m3u8").await;
    assert_eq!(origin.page(&key, Some(&second.tag)).await.map(drop), Err(StoreError::Gone));
}

async fn get(server: &Running, path: &str, headers: &[(&'static str, &str)]) -> Response {
    let mut request = crate::web::client().get(format!("{}/streams/{path}", server.base));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.expect("an answer")
}

/// The addresses of the segments of a channel, and the tag of its playlist.
async fn segments(server: &Running, id: &str) -> (Vec<String>, String) {
    let answer = get(server, &format!("{id}/playlist.m3u8"), &[]).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let tag = header(&answer, "etag").to_owned();
    let names = named(&answer.text().await.expect("a playlist"));
    (names.into_iter().map(|name| format!("{id}/{name}")).collect(), tag)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_serves_its_channels_byte_for_byte() {
    let (streams, moto) = (Streams::new(), Moto::new(3).await);
    moto.channel("tv/stored").await;
    moto.channel("web/far").await;
    let server = carrete_with(
        &streams,
        &[
            ("BUCKET_NAME", NAME),
            ("BUCKET_PREFIX", "tv"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", &moto.url),
            ("AWS_ACCESS_KEY_ID", KEY),
            ("AWS_SECRET_ACCESS_KEY", KEY),
            ("VIDEO_ORIGIN", &moto.url("web/far/playlist.m3u8")),
            ("SOURCE_REFRESH_S", "1"),
        ],
    )
    .await;
    server.until_ids(&["far", "stored"]).await;
    for id in ["far", "stored"] {
        let (paths, tag) = segments(&server, id).await;
        let list = get(&server, &format!("{id}/playlist.m3u8"), &[("if-none-match", &tag)]).await;
        assert_eq!((list.status(), paths.len()), (StatusCode::NOT_MODIFIED, 3));
        for (n, path) in (0_u8..).zip(&paths) {
            let answer = get(&server, path, &[]).await;
            let tag = header(&answer, "etag").to_owned();
            assert!(answer.bytes().await.expect("a body") == bytes(n), "{path}");
            for (headers, status, length) in [
                (&[("if-none-match", &*tag)][..], StatusCode::NOT_MODIFIED, 0),
                (
                    &[("if-match", &tag), ("range", "bytes=188-1127")],
                    StatusCode::PARTIAL_CONTENT,
                    940,
                ),
                (&[("if-match", "\"another\"")], StatusCode::PRECONDITION_FAILED, 0),
                (
                    &[("if-range", "\"another\""), ("range", "bytes=0-9")],
                    StatusCode::OK,
                    bytes(n).len(),
                ),
            ] {
                let answer = get(&server, path, headers).await;
                assert_eq!(answer.status(), status, "{path} {headers:?}");
                if status.is_success() {
                    assert_eq!(
                        answer.bytes().await.expect("a body").len(),
                        length,
                        "{path} {headers:?}"
                    );
                }
            }
        }
    }

    // What changes there has another address, and the old one still leads to what it named.
    let (old, tag) = segments(&server, "stored").await;
    moto.put("tv/stored/playlist1.ts", bytes(9)).await;
    let began = Instant::now();
    let new = loop {
        let (paths, now) = segments(&server, "stored").await;
        if now != tag {
            break paths;
        }
        assert!(began.elapsed() < PATIENCE, "the change is not seen");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!((&old[0], &old[2]), (&new[0], &new[2]));
    for (path, n) in [(&new[1], 9), (&old[1], 1)] {
        let answer = get(&server, path, &[]).await;
        assert!(answer.bytes().await.expect("a body") == bytes(n), "{path}");
    }

    // Without it what is kept is served on.
    drop(moto);
    server.until("/api/health", |health| health["status"] == "degraded").await;
    for path in &new {
        assert_eq!(get(&server, path, &[]).await.status(), StatusCode::OK);
    }
}
