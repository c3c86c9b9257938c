//! The server with a list of the test's own, and a page that talks to its socket.

use std::{net::SocketAddr, time::Duration};

use app::catalog::{ChannelId, Kind, Media, Source};
use carrete::{
    config::Config,
    websocket::{Limits, VideoList, WebsocketHandle},
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::watch, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest, protocol::CloseFrame},
};
use tokio_util::sync::CancellationToken;

use crate::fixtures::{App, Streams, config};

const PATIENCE: Duration = Duration::from_secs(10);

/// A running server; dropping it stops it.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) live: WebsocketHandle,
    pub(crate) shutdown: CancellationToken,
    list: watch::Sender<Option<VideoList>>,
    _app: App,
    _streams: Streams,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Three channels and quick talk.
pub(crate) async fn server() -> Server {
    server_with(&["--chat-rate", "10000/1", "--chat-rate-address", "100000/1"]).await
}

pub(crate) async fn server_with(flags: &[&str]) -> Server {
    server_within(flags, Limits::default()).await
}

pub(crate) async fn server_within(flags: &[&str], limits: Limits) -> Server {
    let mut config = config(flags);
    let streams = Streams::new();
    config.folders = streams.folders();
    // The list is the test's to say.
    let (list, lists) = watch::channel(Some(videos("1", 3)));
    let app = App::start_with(config.clone(), Vec::new(), |state| {
        let Config { network, chat, .. } = &config;
        state.websocket =
            WebsocketHandle::with_limits(network, chat, lists, limits, state.tasks.clone());
    });
    let app = app.await;
    let (address, live) = (app.address, app.state.websocket.clone());
    Server {
        address,
        live,
        shutdown: app.state.shutdown.clone(),
        list,
        _app: app,
        _streams: streams,
    }
}

impl Server {
    /// Replaces the list.
    pub(crate) fn publish(&self, version: &str, channels: usize) {
        self.list.send_replace(Some(videos(version, channels)));
    }

    pub(crate) async fn open(&self) -> Page {
        self.open_at("/ws", &[]).await.expect("the socket opens")
    }

    /// A page that has read what it is told on connect.
    pub(crate) async fn open_quietly(&self) -> Page {
        let mut page = self.open().await;
        page.find(|event| event["type"] == "user_count").await;
        page
    }

    pub(crate) async fn joined(&self, name: &str) -> Page {
        let mut page = self.open_quietly().await;
        page.say(json!({ "type": "join", "username": name })).await;
        page.find(|event| event["type"] == "joined").await;
        page
    }

    /// Opens with other headers; the error is the HTTP status.
    pub(crate) async fn open_at(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Page, u16> {
        open_at(&format!("ws://{}{path}", self.address), headers).await
    }
}

/// Opens a socket with other headers; the error is the HTTP status.
pub(crate) async fn open_at(url: &str, headers: &[(&'static str, &str)]) -> Result<Page, u16> {
    let mut request = url.into_client_request().expect("a request");
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().expect("a value"));
    }
    match timeout(PATIENCE, connect_async(request)).await.expect("an answer") {
        Ok((stream, _)) => Ok(Page { stream, inbox: Vec::new() }),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

/// `channels` channels named `canal1` and so on.
pub(crate) fn videos(version: &str, channels: usize) -> VideoList {
    let media: Vec<Media> = (1..=channels).map(|number| media(&format!("canal{number}"))).collect();
    let ids: Vec<ChannelId> = media.iter().map(|media| media.id.clone()).collect();
    VideoList::new(version, media.iter(), move |id| ids.contains(id))
}

fn media(id: &str) -> Media {
    let id = ChannelId::parse(id).expect("an id");
    Media {
        title: id.to_string(),
        description: None,
        kind: Kind::Video,
        source: Source::Local,
        url: format!("/streams/{}/playlist.m3u8", id.encoded()),
        mime: "application/vnd.apple.mpegurl".into(),
        duration_s: Some(20.0),
        width: Some(720),
        height: Some(1280),
        poster: None,
        thumbhash: None,
        waveform: None,
        subtitles: Vec::new(),
        storyboard: None,
        live: false,
        available: true,
        tags: Vec::new(),
        updated_at: 1,
        order: None,
        format: None,
        id,
    }
}

/// The client's end of a socket. Events of an array are told one by one.
pub(crate) struct Page {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Events that arrived in one frame with one already told, in reverse.
    inbox: Vec<Value>,
}

impl Page {
    pub(crate) async fn say(&mut self, event: Value) {
        self.write(&event.to_string()).await;
    }

    pub(crate) async fn write(&mut self, text: &str) {
        self.send(Message::text(text)).await;
    }

    pub(crate) async fn send(&mut self, message: Message) {
        timeout(PATIENCE, self.stream.send(message)).await.expect("in time").expect("sent");
    }

    /// Sends and does not mind if the server closes meanwhile.
    pub(crate) async fn throw(&mut self, message: Message) {
        let _ = timeout(PATIENCE, self.stream.send(message)).await;
    }

    /// The next event; panics with the close where there is none.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            if let Some(event) = self.inbox.pop() {
                return event;
            }
            match self.arrival().await {
                Some(Message::Text(text)) => match serde_json::from_str(&text).expect("JSON") {
                    Value::Array(events) => self.inbox.extend(events.into_iter().rev()),
                    event => self.inbox.push(event),
                },
                Some(Message::Ping(_)) => {}
                other => panic!("no event but {other:?}"),
            }
        }
    }

    async fn arrival(&mut self) -> Option<Message> {
        let arrival = timeout(PATIENCE, self.stream.next()).await.expect("something in time");
        arrival.and_then(Result::ok)
    }

    /// Reads on until an event fits.
    pub(crate) async fn find(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.next().await;
            if fits(&event) {
                return event;
            }
        }
    }

    pub(crate) async fn error(&mut self) -> Value {
        self.find(|event| event["type"] == "error").await
    }

    /// Everything up to the answer to a question asked now, which is not told.
    pub(crate) async fn until_now(&mut self) -> Vec<Value> {
        self.say(json!({ "type": "watch", "channel": "nobody's", "nonce": "until-now" })).await;
        let mut events = Vec::new();
        loop {
            let event = self.next().await;
            if event["nonce"] == "until-now" {
                return events;
            }
            events.push(event);
        }
    }

    /// Reads on until the close; `None` where the connection just ended.
    pub(crate) async fn close(&mut self) -> Option<CloseFrame> {
        loop {
            match self.arrival().await {
                Some(Message::Close(frame)) => return frame,
                Some(_) => {}
                None => return None,
            }
        }
    }

    /// What a close of ours was answered with, if it was, and whether the connection ended after it
    /// as it should, not by a reset.
    pub(crate) async fn answer_to_close(&mut self) -> (Option<Option<CloseFrame>>, bool) {
        let mut answer = None;
        loop {
            match timeout(PATIENCE, self.stream.next()).await.expect("something in time") {
                Some(Ok(Message::Close(frame))) => answer = Some(frame),
                Some(Ok(_)) => {}
                Some(Err(_)) => return (answer, false),
                None => return (answer, true),
            }
        }
    }

    pub(crate) async fn leave(mut self) {
        let _ = timeout(PATIENCE, self.stream.close(None)).await;
    }
}
