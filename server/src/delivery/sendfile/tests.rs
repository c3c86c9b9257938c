//! Files over real sockets, through all that stands between an answer and its connection.

use std::{
    fs, io,
    net::SocketAddr,
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};

use axum::{
    Extension, Router,
    body::{Body, to_bytes},
    extract::{Path, State},
    routing::get,
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Response, header};
use rustix::net::sockopt::tcp_user_timeout;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpSocket, TcpStream},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{CHUNK, SendfileQueue, SendfileStream, WAITING_MAX};
use crate::config::{NetworkSettings, Switch};

const PATIENCE: Duration = Duration::from_secs(20);
/// Longer than what lies in sockets on the way.
const LONG: usize = 24 << 20;

/// Bytes of which none is 0, and no two chunks are alike.
fn film(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 + (at >> 9) * 13 + (at >> 19)) as u8 | 1).collect()
}

/// A server with one file, `film`, of so many bytes.
struct Server {
    address: SocketAddr,
    folder: TempDir,
    shutdown: CancellationToken,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Server {
    async fn new(length: usize) -> Self {
        Self::with(length, NetworkSettings::default()).await
    }

    async fn with(length: usize, network: NetworkSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film");
        fs::write(&path, film(length)).unwrap();
        let router = Router::new()
            .route("/small", get(|| async { "{\"small\":true}" }))
            .route("/read/{length}", get(|Path(length): Path<usize>| async move { read(length) }))
            .route(
                "/queue",
                get(|queue: Option<Extension<SendfileQueue>>| async move { said(queue) }),
            )
            .route("/film/{way}/{first}/{length}", get(send))
            .with_state(path);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let tasks = shutdown.clone().into();
        tokio::spawn(async move {
            crate::http::listener::serve(router, vec![listener], &network, tasks).await
        });
        Self { address, folder, shutdown }
    }

    async fn open(&self) -> Client {
        Client(BufReader::new(TcpStream::connect(self.address).await.unwrap()))
    }

    /// A client with little room.
    async fn open_slowly(&self) -> Client {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(32 << 10).unwrap();
        Client(BufReader::with_capacity(2000, socket.connect(self.address).await.unwrap()))
    }
}

fn said(queue: Option<Extension<SendfileQueue>>) -> String {
    queue.is_some().to_string()
}

/// A body from memory, in pieces.
fn read(length: usize) -> Body {
    let pieces: Vec<_> = film(length).chunks(30_000).map(Bytes::copy_from_slice).collect();
    Body::from_stream(stream::iter(pieces.into_iter().map(Ok::<_, io::Error>)))
}

/// Bytes of the file, with the layer of that name between the queue and its socket.
async fn send(
    State(path): State<std::path::PathBuf>,
    Path((way, first, length)): Path<(String, u64, u64)>,
    Extension(queue): Extension<SendfileQueue>,
) -> Response<Body> {
    let file = fs::File::open(path).unwrap();
    assert!(SendfileQueue::carries(&file), "the folder of these tests lies on a disk or in memory");
    let placeholders = queue.placeholders(file, first, length);
    let copy = |placeholder: io::Result<Bytes>| {
        placeholder.map(|placeholder| Bytes::copy_from_slice(&placeholder))
    };
    let body = match &*way {
        "whole" => Body::from_stream(placeholders),
        "copied" => Body::from_stream(placeholders.map(copy)),
        "copied after the first" => {
            let later =
                move |(n, placeholder)| if n == 0 { placeholder } else { copy(placeholder) };
            Body::from_stream(placeholders.enumerate().map(later))
        }
        "cut" => Body::from_stream(
            placeholders.map(|placeholder| placeholder.map(|placeholder| placeholder.slice(1..))),
        ),
        "shortened" => Body::from_stream(
            placeholders.map(|placeholder| placeholder.map(|placeholder| placeholder.slice(..1))),
        ),
        "twice" => Body::from_stream(placeholders.flat_map(|placeholder| {
            let placeholder = placeholder.unwrap();
            stream::iter([Ok::<_, io::Error>(placeholder.clone()), Ok(placeholder)])
        })),
        "turned" => {
            let mut all: Vec<_> = placeholders.collect().await;
            all.reverse();
            Body::from_stream(stream::iter(all))
        }
        "dropped" => Body::from_stream(placeholders.skip(1)),
        "gathered" => match to_bytes(Body::from_stream(placeholders), usize::MAX).await {
            Ok(all) => Body::from(all),
            Err(_) => Body::from_stream(stream::iter([Err::<Bytes, _>(io::Error::other(""))])),
        },
        way => panic!("{way}"),
    };
    Response::builder().header(header::CONTENT_LENGTH, length).body(body).unwrap()
}

/// One connection.
struct Client(BufReader<TcpStream>);

impl Client {
    async fn ask(&mut self, path: &str) {
        let request = format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", path.replace(' ', "%20"));
        self.0.get_mut().write_all(request.as_bytes()).await.unwrap();
    }

    /// One byte, in time; nothing at the end of the connection, however it came.
    async fn byte(&mut self) -> Option<u8> {
        timeout(PATIENCE, self.0.read_u8()).await.expect("in time").ok()
    }

    /// The length that the next answer's head tells.
    async fn head(&mut self) -> Option<usize> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.byte().await?);
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        Some(length.map_or(0, |length| length.parse().unwrap()))
    }

    /// So many bytes, or those until the end of the connection.
    async fn take(&mut self, length: usize) -> Vec<u8> {
        let mut taken = vec![0; length];
        let mut many = 0;
        while many < length {
            let read = timeout(PATIENCE, self.0.read(&mut taken[many..])).await.expect("in time");
            match read {
                Ok(0) | Err(_) => break,
                Ok(read) => many += read,
            }
        }
        taken.truncate(many);
        taken
    }

    /// A whole answer.
    async fn answer(&mut self) -> Vec<u8> {
        let length = self.head().await.expect("an answer");
        let body = self.take(length).await;
        assert_eq!(body.len(), length, "all of it");
        body
    }
}

fn film_at(first: usize, length: usize) -> String {
    format!("/film/whole/{first}/{length}")
}

#[tokio::test]
async fn every_part_of_a_file_arrives_as_it_is() {
    let length = 3 * CHUNK + 777;
    let (server, film) = (Server::new(length).await, film(length));
    let mut client = server.open().await;
    for (first, length) in [
        (0, length),
        (0, 1),
        (length - 1, 1),
        (1, CHUNK),
        (CHUNK - 1, 2),
        (CHUNK + 5, CHUNK + 5),
        (4096, length - 4096),
    ] {
        client.ask(&film_at(first, length)).await;
        assert!(client.answer().await == film[first..first + length], "{length} from {first}");
    }
}

#[tokio::test]
async fn slow_readers_get_all_of_it() {
    let length = 2 * CHUNK + 1;
    let (server, film) = (Server::new(length).await, film(length));
    let mut client = server.open_slowly().await;
    for _ in 0..2 {
        client.ask(&film_at(0, length)).await;
        assert_eq!(client.head().await, Some(length));
        for piece in film.chunks(length / 20) {
            assert!(client.take(piece.len()).await == piece);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn answers_of_all_kinds_follow_one_another() {
    let length = 2 * CHUNK;
    let (server, film) = (Server::new(length).await, film(length));
    let mut client = server.open().await;
    let asked = [(0, length), (7, 100), (100_000, CHUNK + 1)];
    for round in 0..6 {
        // All at once, before anything is read.
        for (first, length) in asked {
            client.ask(&film_at(first, length)).await;
            client.ask("/small").await;
            client.ask("/queue").await;
        }
        for (first, length) in asked {
            assert!(client.answer().await == film[first..first + length], "round {round}");
            assert_eq!(client.answer().await, b"{\"small\":true}");
            assert_eq!(client.answer().await, b"true");
        }
    }
    client.ask("/read/100000").await;
    assert_eq!(client.head().await, Some(0), "in chunks");
    let mut read = client.take(100_000).await;
    client.ask(&film_at(3, 9)).await;
    while !read.ends_with(b"0\r\n\r\n") {
        read.push(client.byte().await.expect("the end of the chunks"));
    }
    assert!(client.answer().await == film[3..12]);
}

#[tokio::test]
async fn who_leaves_in_the_middle_disturbs_nobody() {
    let (server, film) = (Server::new(LONG).await, film(LONG));
    for _ in 0..20 {
        let mut client = server.open_slowly().await;
        client.ask(&film_at(0, LONG)).await;
        client.ask("/small").await;
        client.head().await.expect("an answer");
        client.take(10_000).await;
    }
    let mut client = server.open().await;
    client.ask(&film_at(0, LONG)).await;
    assert!(client.answer().await == film);
}

#[tokio::test]
async fn a_file_that_becomes_shorter_ends_the_connection() {
    let (server, film) = (Server::new(LONG).await, film(LONG));
    let mut client = server.open_slowly().await;
    client.ask(&film_at(0, LONG)).await;
    client.ask("/small").await;
    assert_eq!(client.head().await, Some(LONG));
    let mut taken = client.take(100_000).await;
    let file = fs::OpenOptions::new().write(true).open(server.folder.path().join("film")).unwrap();
    // Beyond what is on its way: what is cut off there loses its bytes on the way, as with every
    // server that sends pages of the kernel's cache.
    file.set_len(20 << 20).unwrap();
    taken.extend(client.take(LONG).await);
    assert!(taken == film[..20 << 20], "what there was, and no more");
}

#[tokio::test]
async fn who_is_being_served_at_the_end_gets_all_of_it() {
    let (server, film) = (Server::new(LONG).await, film(LONG));
    let mut client = server.open_slowly().await;
    client.ask(&film_at(0, LONG)).await;
    assert_eq!(client.head().await, Some(LONG));
    server.shutdown.cancel();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(client.take(LONG).await == film);
    assert_eq!(client.byte().await, None);
}

#[tokio::test]
async fn what_was_changed_on_the_way_is_never_sent() {
    let length = (WAITING_MAX + 1) * CHUNK;
    let (server, film) = (Server::new(length).await, film(length));
    for way in [
        "copied",
        "copied after the first",
        "cut",
        "shortened",
        "twice",
        "turned",
        "dropped",
        "gathered",
    ] {
        for length in [100, 2 * CHUNK, length] {
            let needs_more = ["copied after the first", "turned", "gathered"].contains(&way);
            if needs_more && length < CHUNK {
                // One placeholder alone is as it was.
                continue;
            }
            let mut client = server.open().await;
            client.ask(&format!("/film/{way}/0/{length}")).await;
            client.ask("/small").await;
            client.head().await;
            let taken = client.take(2 * length).await;
            assert!(!taken.contains(&0), "{way}: a placeholder came through");
            let sent = taken.len().min(length);
            assert!(taken[..sent] == film[..sent], "{way}");
            if way != "twice" {
                assert!(sent < length, "{way}: all of {length} came");
            }
        }
    }
}

#[tokio::test]
async fn it_can_be_switched_off() {
    let off = NetworkSettings { sendfile: Switch(false), ..NetworkSettings::default() };
    let server = Server::with(10, off).await;
    let mut client = server.open().await;
    client.ask("/queue").await;
    assert_eq!(client.answer().await, b"false");
}

#[tokio::test]
async fn the_kernel_ends_no_answer_before_it_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap());
    let (client, accepted) = tokio::join!(client, listener.accept());
    let (_client, (ours, _)) = (client.unwrap(), accepted.unwrap());
    let same: OwnedFd = ours.as_fd().try_clone_to_owned().unwrap();
    let mut stream = SendfileStream::new(ours);
    stream.write_all(b"the beginning").await.unwrap();
    // Who takes bytes all the time, and has little room for them, is sent them however long it takes.
    assert_eq!(tcp_user_timeout(&same).unwrap(), 0);
    stream.shutdown().await.unwrap();
    assert_eq!(tcp_user_timeout(&same).unwrap(), 90_000, "the end is kept for a while");
}
