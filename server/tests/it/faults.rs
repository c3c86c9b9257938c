//! The whole program among others that die under load, and on a disk without room: whatever is
//! answered in full is as it should be.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{Client, StatusCode};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    fixtures::{Streams, playlist, rounds},
    outages::long_film,
    program::{Running, carrete_at, carrete_with, carrete_without_room},
    server::Server,
};

/// Longer than anything here may take to be well again.
const PATIENCE: Duration = Duration::from_secs(40);

/// What became of one question.
enum Said {
    /// All of the segment, and it is the right one.
    Right,
    /// Not now.
    Later,
    /// There is no such channel.
    Unknown,
    /// Nothing, or not all of it.
    CutOff,
}

async fn ask(client: &Client, base: &str, n: usize, bytes: &[u8]) -> Said {
    // As players do, before they ask for what it names.
    let list = client.get(format!("{base}/streams/f/playlist.m3u8")).send().await;
    let Ok(list) = list else { return Said::CutOff };
    if list.status() == StatusCode::SERVICE_UNAVAILABLE {
        return Said::Later;
    }
    let url = format!("{base}/streams/f/playlist{n}.ts");
    let Ok(answer) = client.get(url).send().await else { return Said::CutOff };
    match answer.status() {
        StatusCode::OK => {
            let Ok(got) = answer.bytes().await else { return Said::CutOff };
            assert!(got == bytes, "segment {n} is another");
            Said::Right
        }
        StatusCode::SERVICE_UNAVAILABLE => Said::Later,
        StatusCode::NOT_FOUND => Said::Unknown,
        status => panic!("segment {n} is answered with {status}"),
    }
}

/// Asks until all segments are served again.
async fn until_well(base: &str, film: &[Vec<u8>]) {
    let (client, began) = (crate::web::client(), Instant::now());
    for (n, bytes) in film.iter().enumerate() {
        while !matches!(ask(&client, base, n, bytes).await, Said::Right) {
            assert!(began.elapsed() < PATIENCE, "segment {n} does not come back");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Waits until the film is on the program's list.
async fn listed(server: &Running) {
    let began = Instant::now();
    let list = || async {
        let answer = crate::web::get(format!("{}/api/channels", server.base)).await;
        answer.expect("an answer").text().await.expect("a list")
    };
    while list().await != "[\"f\"]" {
        assert!(began.elapsed() < PATIENCE, "the film is not listed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Somebody who watches until `calm`; answers how much was served. Only a program that `began_anew`
/// may not know the film.
fn viewer(
    base: String,
    n: usize,
    film: Arc<Vec<Vec<u8>>>,
    (calm, began_anew): (CancellationToken, Arc<AtomicBool>),
) -> JoinHandle<usize> {
    tokio::spawn(async move {
        let (client, mut served, mut turn) = (crate::web::client(), 0, 0);
        while !calm.is_cancelled() {
            turn += 1;
            let at = (n * 7 + turn * 11) % film.len();
            let may_be_unknown = began_anew.load(Ordering::SeqCst);
            match ask(&client, &base, at, &film[at]).await {
                Said::Right => served += 1,
                Said::Unknown if !(may_be_unknown || began_anew.load(Ordering::SeqCst)) => {
                    panic!("segment {at} is nowhere")
                }
                _ => {}
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        served
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn two_programs_one_behind_the_other_are_killed_under_load() {
    let (_, film) = long_film(20, 40_000);
    let (film, behind, before) = (Arc::new(film), Streams::new(), Streams::new());
    for (n, bytes) in film.iter().enumerate() {
        behind.write(&format!("f/playlist{n}.ts"), bytes);
    }
    behind.write("f/playlist.m3u8", playlist(0..20, true));
    let mut back = carrete_with(&behind, &[]).await;
    let address = back.base.clone();
    // Room for a few of them only: the rest is fetched again and again.
    let settings =
        [("VIDEO_ORIGIN", &*address), ("CACHE_MAX_BYTES", "200000"), ("SOURCE_REFRESH_S", "1")];
    let mut front = carrete_with(&before, &settings).await;
    listed(&front).await;
    let (calm, began_anew) = (CancellationToken::new(), Arc::new(AtomicBool::new(false)));
    let watch = |n| viewer(front.base.clone(), n, film.clone(), (calm.clone(), began_anew.clone()));
    let viewers: Vec<_> = (0..6).map(watch).collect();
    for round in 0..rounds(2) {
        tokio::time::sleep(Duration::from_millis(300)).await;
        back.kill();
        tokio::time::sleep(Duration::from_millis(200)).await;
        if round % 2 == 1 {
            // It comes back with the cache that it left, and nothing behind it.
            began_anew.store(true, Ordering::SeqCst);
            front.kill();
            front = carrete_at(&before, &settings, front.port()).await;
            listed(&front).await;
            began_anew.store(false, Ordering::SeqCst);
        }
        back = carrete_at(&behind, &[], back.port()).await;
    }
    until_well(&front.base, &film).await;
    calm.cancel();
    let mut served = 0;
    for viewer in viewers {
        served += viewer.await.expect("a viewer who saw nothing wrong");
    }
    assert!(served > 0, "nothing was served at all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_without_room_takes_nothing_from_viewers() {
    let (router, film) = long_film(6, 400_000);
    let (film, server, streams) = (Arc::new(film), Server::new(router).await, Streams::new());
    let url = server.url("/f/playlist.m3u8");
    let front = carrete_without_room(&streams, &[("VIDEO_ORIGIN", &url)]).await;
    listed(&front).await;
    let calm = CancellationToken::new();
    let watch = |n| viewer(front.base.clone(), n, film.clone(), (calm.clone(), Arc::default()));
    let viewers: Vec<_> = (0..6).map(watch).collect();
    for _ in 0..rounds(2) {
        tokio::time::sleep(Duration::from_millis(200)).await;
        until_well(&front.base, &film).await;
    }
    calm.cancel();
    for viewer in viewers {
        assert!(viewer.await.expect("a viewer who saw nothing wrong") > 0, "nothing was served");
    }
    // What did not fit was fetched again, and its beginnings take no room.
    assert!(server.temper.asked("playlist3.ts") > 1);
    let began = Instant::now();
    let kept = || {
        let files = fs::read_dir(streams.folders().data.join("cache")).into_iter().flatten();
        let sizes = files.flatten().filter_map(|file| Some(file.metadata().ok()?.len()));
        sizes.filter(|size| *size > 100_000).count()
    };
    while kept() > 0 {
        assert!(began.elapsed() < PATIENCE, "{} beginnings of files stay", kept());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
