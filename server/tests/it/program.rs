//! The real program, as it is started by people.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::fixtures::Streams;

/// Longer than anything promised; a program that takes so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

const PROGRAM: &str = env!("CARGO_BIN_EXE_carrete");

/// The program itself; killed when dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) base: String,
    pub(crate) start: Duration,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Running {
    /// Kills it as it stands.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        let port = self.base.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        port.expect("a port")
    }

    /// Asks until the answer, which is JSON, is as wanted.
    pub(crate) async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let answer = crate::web::get(format!("{}{path}", self.base)).await.expect("an answer");
            let told: Value = answer.json().await.expect("JSON");
            if wanted(&told) {
                return told;
            }
            assert!(began.elapsed() < PATIENCE, "{path} stays {told}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until exactly these ids are listed.
    pub(crate) async fn until_ids(&self, ids: &[&str]) {
        self.until("/api/channels", |told| *told == serde_json::json!(ids)).await;
    }
}

/// The program over this folder.
pub(crate) async fn carrete(streams: &Streams) -> Running {
    carrete_with(streams, &[]).await
}

/// As [`carrete`], with more settings.
pub(crate) async fn carrete_with(streams: &Streams, settings: &[(&str, &str)]) -> Running {
    carrete_at(streams, settings, 0).await
}

/// As [`carrete_with`], on this port.
pub(crate) async fn carrete_at(streams: &Streams, settings: &[(&str, &str)], port: u16) -> Running {
    started(Command::new(PROGRAM), streams, settings, (port, Stdio::null())).await
}

/// As [`carrete_with`]; what it logs goes into `log`.
pub(crate) async fn carrete_logging(
    streams: &Streams,
    settings: &[(&str, &str)],
    log: fs::File,
) -> Running {
    started(Command::new(PROGRAM), streams, settings, (0, log.into())).await
}

/// What one of its other verbs says, and how it ends.
pub(crate) async fn carrete_verb(
    args: &[&str],
    streams: &Streams,
    settings: &[(&str, &str)],
) -> Output {
    let ended = tokio::process::Command::new(PROGRAM)
        .args(args)
        .current_dir(streams.outside(""))
        .env("STREAMS_DIR", streams.path(""))
        .env("DATA_DIR", streams.folders().data)
        .envs(settings.iter().copied())
        .kill_on_drop(true)
        .output();
    tokio::time::timeout(PATIENCE, ended).await.expect("it ends").expect("it starts")
}

/// As [`carrete_with`], where no file can grow beyond 256 KiB.
pub(crate) async fn carrete_without_room(streams: &Streams, settings: &[(&str, &str)]) -> Running {
    // Blocks of 512 bytes. Without the trap the kernel would end who writes more.
    carrete_under("trap '' XFSZ; ulimit -f 512", streams, settings).await
}

/// As [`carrete_with`], under the limits that a shell sets.
pub(crate) async fn carrete_under(
    limits: &str,
    streams: &Streams,
    settings: &[(&str, &str)],
) -> Running {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{limits}; exec \"$0\" \"$@\""), PROGRAM]);
    started(shell, streams, settings, (0, Stdio::null())).await
}

async fn started(
    mut program: Command,
    streams: &Streams,
    settings: &[(&str, &str)],
    (port, log): (u16, Stdio),
) -> Running {
    let site = streams.outside("site");
    fs::create_dir_all(site.join("pkg")).expect("made");
    fs::create_dir_all(streams.folders().data).expect("made");
    let began = Instant::now();
    let mut child = program
        .current_dir(streams.outside(""))
        .env("LEPTOS_SITE_ROOT", &site)
        .env("LEPTOS_HASH_FILES", "false")
        .env("STREAMS_DIR", streams.path(""))
        .env("DATA_DIR", streams.folders().data)
        .envs(settings.iter().copied())
        .args(["--host", "127.0.0.1", "--port", &port.to_string()])
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let base = lines
        .find_map(|line| Some(line.ok()?.trim().strip_prefix("http://")?.to_owned()))
        .map(|address| format!("http://{address}"))
        .expect("its address");
    let client = crate::web::client();
    while client.get(&base).send().await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(10), "it does not answer");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Running { child, base, start: began.elapsed() }
}
