//! The real program, as it is started by people.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::fixtures::Streams;

/// The program itself; killed when dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) base: String,
    pub(crate) start: Duration,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program over this folder.
pub(crate) async fn carrete(streams: &Streams) -> Running {
    carrete_with(streams, &[]).await
}

/// As [`carrete`], with more settings.
pub(crate) async fn carrete_with(streams: &Streams, settings: &[(&str, &str)]) -> Running {
    let site = streams.outside("site");
    fs::create_dir_all(site.join("pkg")).expect("made");
    fs::create_dir_all(streams.folders().data).expect("made");
    let began = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_carrete"))
        .current_dir(streams.outside(""))
        .env("LEPTOS_SITE_ROOT", &site)
        .env("LEPTOS_HASH_FILES", "false")
        .env("STREAMS_DIR", streams.path(""))
        .env("DATA_DIR", streams.folders().data)
        .envs(settings.iter().copied())
        .args(["--host", "127.0.0.1", "--port", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let base = lines
        .find_map(|line| Some(line.ok()?.trim().strip_prefix("http://")?.to_owned()))
        .map(|address| format!("http://{address}"))
        .expect("its address");
    let client = reqwest::Client::new();
    while client.get(&base).send().await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(10), "it does not answer");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Running { child, base, start: began.elapsed() }
}
