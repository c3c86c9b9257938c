//! A source that has no files: its playlist is computed when it is asked for, out of the playlists of
//! other channels.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use app::catalog::{ChannelId, Kind, Source as Origin};
use axum::{Router, routing::get};
use futures_util::{FutureExt, future::BoxFuture};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::{
    Asked, Clock, LocalSource, Publisher, Source, SourceError, SourceId, SourceList, Sources,
    Tasks, resource::Resource, start_all,
};
use crate::{
    catalog::{
        ListedChannel,
        artifacts::ArtifactKeys,
        metadata::ChannelMetadata,
        record::{ChannelRecord, Content, Location, PLAYLIST, ServedPlaylist, etag_of},
    },
    delivery,
    hls::parsed::Segment,
};

/// Seconds that each of its programmes is on.
const TURN_S: u64 = 10;

/// Plays the channels that it is made of in turns of ten seconds.
#[derive(Debug)]
struct Turns {
    parts: Vec<ChannelId>,
    asked: Notify,
}

impl Turns {
    fn list(&self) -> SourceList {
        let channels = BTreeMap::from([("turns".into(), Arc::new(self.record()))]);
        SourceList { channels, ..SourceList::new(self.id()) }
    }

    fn record(&self) -> ChannelRecord {
        ChannelRecord {
            location: Location {
                source: self.id(),
                origin: Origin::Local,
                prefix: String::new(),
                folder: None,
            },
            content: Content { named: blake3::hash(b"turns"), sized: None },
            behind: HashMap::new(),
            beside: HashMap::new(),
            thumbhash: None,
            refers_to: self.parts.clone(),
            main: PLAYLIST.into(),
            bare: false,
            files: HashMap::new(),
            poster: None,
            subtitles: Vec::new(),
            about: ChannelMetadata::default(),
            remarks: Vec::new(),
            kind: Kind::Video,
            mime: "application/vnd.apple.mpegurl".into(),
            codecs: Vec::new(),
            duration_s: None,
            width: None,
            height: None,
            live: true,
            updated_at: 0,
        }
    }
}

impl Source for Turns {
    fn id(&self) -> SourceId {
        SourceId::new("turns")
    }

    fn poll(
        self: Arc<Self>,
        publish: Publisher,
        stop: CancellationToken,
    ) -> BoxFuture<'static, ()> {
        async move {
            publish.publish(&self.list());
            stop.cancelled().await;
        }
        .boxed()
    }

    fn resolve<'a>(&'a self, asked: Asked<'a>) -> BoxFuture<'a, Result<Resource, SourceError>> {
        async move {
            if asked.path != PLAYLIST {
                return Err(SourceError::Unnamed);
            }
            let since = asked.at.duration_since(UNIX_EPOCH).unwrap_or_default();
            let turn = usize::try_from(since.as_secs() / TURN_S).unwrap_or(0);
            let known = asked.catalog.current().ok_or(SourceError::Later)?;
            let part = &self.parts[turn % self.parts.len()];
            let entry = known.entry(part).ok_or(SourceError::Away)?;
            let of = entry.record.playlist(PLAYLIST).ok_or(SourceError::Away)?;
            let segments = of.parsed.segments().filter_map(|segment| {
                let Segment { path, version, duration_s, .. } = segment;
                let (path, version) = (path?, version?);
                Some(format!("#EXTINF:{duration_s},\n/streams/{part}/{path}?v={version}\n"))
            });
            let head = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{turn}\n");
            let text = bytes::Bytes::from(head + &segments.collect::<String>());
            let (etag, modified) = (etag_of(&text), asked.at);
            Ok(Resource::Playlist(ServedPlaylist { text, etag, modified }))
        }
        .boxed()
    }

    fn request_refresh(&self, _: &ListedChannel) {
        self.asked.notify_one();
    }
}

struct Server {
    sources: Sources,
    router: Router,
    clock: Clock,
    turns: Arc<Turns>,
    _stop: tokio_util::sync::DropGuard,
}

fn server(streams: &std::path::Path, parts: &[&str]) -> Server {
    let parts = parts.iter().map(|id| ChannelId::parse(id).expect("an id")).collect();
    let turns = Arc::new(Turns { parts, asked: Notify::new() });
    let folder = LocalSource::new(streams).expect("a folder");
    let clock = Clock::held_at(UNIX_EPOCH + Duration::from_secs(1_000_000));
    let stop = CancellationToken::new();
    let all: Vec<Arc<dyn Source>> = vec![Arc::new(folder), turns.clone()];
    let sources = start_all(all, clock.clone(), Tasks::new(stop.clone()));
    let router =
        Router::new().route("/streams/{*path}", get(delivery::serve)).with_state(sources.clone());
    Server { sources, router, clock, turns, _stop: stop.drop_guard() }
}

impl Server {
    async fn ask(&self, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(axum::body::Body::empty()).expect("a request");
        let answer = self.router.clone().oneshot(request).await.expect("an answer");
        let status = answer.status();
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    async fn until(&self, ids: &[&str]) {
        let mut list = self.sources.catalog().subscribe();
        let is_it = |snapshot: &Option<Arc<crate::catalog::Snapshot>>| {
            snapshot.as_ref().is_some_and(|snapshot| {
                let all: Vec<_> = snapshot.media().iter().map(|m| m.id.as_str()).collect();
                all == ids
            })
        };
        let known = list.wait_for(is_it);
        tokio::time::timeout(Duration::from_secs(10), known).await.expect("listed").expect("alive");
    }
}

fn channel(streams: &std::path::Path, id: &str) {
    let folder = streams.join(id);
    fs::create_dir_all(&folder).expect("made");
    let packet = [&[0x47_u8][..], &[0; 187]].concat();
    fs::write(folder.join("0.ts"), packet).expect("written");
    let text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n0.ts\n#EXT-X-ENDLIST\n";
    fs::write(folder.join("playlist.m3u8"), text).expect("written");
    let long_ago = SystemTime::now() - Duration::from_secs(3_600);
    for name in ["0.ts", "playlist.m3u8"] {
        let file = fs::File::options().write(true).open(folder.join(name)).expect("open");
        file.set_modified(long_ago).expect("set");
    }
}

#[tokio::test]
async fn a_playlist_may_be_computed_out_of_others_when_it_is_asked_for() {
    let home = tempfile::tempdir().expect("a folder");
    channel(home.path(), "one");
    channel(home.path(), "two");
    let server = server(home.path(), &["one", "two", "absent"]);
    server.until(&["one", "turns", "two"]).await;
    let ask = async || server.ask("/streams/turns/playlist.m3u8").await;
    let (status, first) = ask().await;
    assert_eq!(status, StatusCode::OK);
    assert!(first.contains("#EXT-X-MEDIA-SEQUENCE:100000\n"), "{first}");
    assert!(first.contains("\n/streams/two/0.ts?v="), "{first}");
    assert_eq!(ask().await.1, first, "at the same time it is the same");
    // Its segments are those of the others, by their own addresses.
    let segment = first.lines().last().expect("a segment");
    assert_eq!(server.ask(segment).await.0, StatusCode::OK);
    assert_eq!(server.ask("/streams/turns/0.ts").await.0, StatusCode::NOT_FOUND);

    server.clock.advance(Duration::from_secs(TURN_S));
    // The third of them is not listed: nothing can be sent, and nobody takes the list for wrong.
    assert_eq!(ask().await.0, StatusCode::SERVICE_UNAVAILABLE);
    server.clock.advance(Duration::from_secs(TURN_S));
    let (_, later) = ask().await;
    assert!(later.contains("#EXT-X-MEDIA-SEQUENCE:100002\n"), "{later}");
    assert!(later.contains("\n/streams/one/0.ts?v="), "{later}");
    assert!(server.turns.asked.notified().now_or_never().is_none());
}

#[tokio::test]
async fn what_is_made_here_is_shown_for_no_channel_that_lies_elsewhere() {
    let home = tempfile::tempdir().expect("a folder");
    channel(home.path(), "one");
    let server = server(home.path(), &["one"]);
    server.until(&["one", "turns"]).await;
    let known = server.sources.catalog().current().expect("a list");
    let here = known.entry(&ChannelId::parse("one").expect("an id")).expect("listed");
    let key = |record: &ChannelRecord| ArtifactKeys::of("news".as_ref(), record).content;
    let growing =
        ChannelRecord { live: true, files: here.record.files.clone(), ..server.turns.record() };
    // Both are called the same, and both are live.
    assert_ne!(key(&growing), key(&server.turns.record()));
}

#[tokio::test]
async fn what_refers_to_nothing_that_is_listed_is_not_listed_either() {
    let home = tempfile::tempdir().expect("a folder");
    channel(home.path(), "one");
    let server = server(home.path(), &["two"]);
    server.until(&["one"]).await;
    assert_eq!(server.ask("/streams/turns/playlist.m3u8").await.0, StatusCode::NOT_FOUND);
    channel(home.path(), "two");
    server.until(&["one", "turns", "two"]).await;
    fs::remove_dir_all(home.path().join("two")).expect("removed");
    server.until(&["one"]).await;
}
