//! `carrete doctor`: the host and every channel judged once, for people and for scripts.

mod bucket;
mod origin;
mod source;

use std::{
    fs,
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::spawn_blocking,
    time::timeout,
};

use crate::{
    config::Config,
    sources::report,
    transcode::{IngestError, version},
};

/// How long another program or server may take to answer.
const ANSWERS: Duration = Duration::from_secs(5);
/// The most of an answer to `/api/health` that is read, in bytes.
const HEALTH_BYTES: u64 = 16 << 10;

/// One thing looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub check: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found, in one sentence.
    pub message: String,
    /// What mends it.
    pub fix: Option<String>,
}

impl Check {
    fn ok(check: &str, message: impl Into<String>) -> Self {
        Self { check: check.into(), ok: true, message: message.into(), fix: None }
    }

    fn fail(check: &str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        let (message, fix) = (message.into(), Some(fix.into()));
        Self { check: check.into(), ok: false, message, fix }
    }

    /// The line that people read.
    pub fn line(&self) -> String {
        let Self { check, message, .. } = self;
        match &self.fix {
            Some(fix) => format!("FAIL {check}: {message} — fix: {fix}"),
            None => format!("ok   {check}: {message}"),
        }
    }
}

/// Prints every check, as lines or as a JSON array; answers whether all are well.
pub async fn doctor(config: &Config, json: bool) -> io::Result<bool> {
    let checks = examine(config).await;
    if json {
        println!("{}", serde_json::to_string_pretty(&checks).map_err(io::Error::other)?);
    } else {
        for check in &checks {
            println!("{}", check.line());
        }
    }
    Ok(checks.iter().all(|check| check.ok))
}

/// Looks at everything; changes nothing but a file of its own in the data folder.
pub async fn examine(config: &Config) -> Vec<Check> {
    let mut checks = vec![program("ffmpeg").await, program("ffprobe").await];
    let folders = config.folders.clone();
    let on_disk = spawn_blocking(move || {
        let mut checks = vec![data_folder(&folders.data)];
        checks.extend(channel_checks(&folders.streams));
        checks
    });
    checks.extend(on_disk.await.unwrap_or_default());
    checks.extend(bucket::examine(config).await);
    checks.extend(origin::examine(config).await);
    checks.push(port(config.host, config.port).await);
    checks.push(clock(SystemTime::now()));
    checks
}

async fn program(name: &str) -> Check {
    let fix = "install ffmpeg (apt-get install ffmpeg); converting and posters need it";
    match version(Path::new(name), ANSWERS).await {
        Ok(line) => Check::ok(name, line),
        Err(IngestError::NoTool(_)) => Check::fail(name, "it cannot be started", fix),
        Err(IngestError::Stalled(_)) => Check::fail(name, "it does not answer", fix),
        Err(_) => Check::fail(name, "it does not run", fix),
    }
}

/// Whether the server can keep something of its own; the start asks it too.
pub(crate) fn data_folder(folder: &Path) -> Check {
    let tried = fs::create_dir_all(folder).and_then(|()| {
        // A name that nobody can have put there before: through a link it would write elsewhere.
        let random = getrandom::u64().map_err(io::Error::other)?;
        let probe = folder.join(format!(".tmp-doctor-{random:016x}"));
        let written = fs::File::create_new(&probe)?.write_all(b"carrete");
        fs::remove_file(&probe).and(written)
    });
    match tried {
        Ok(()) => Check::ok("data folder", format!("{} can be written", folder.display())),
        Err(error) => Check::fail(
            "data folder",
            format!("{} cannot be written: {error}", folder.display()),
            "let this user write there, or set DATA_DIR",
        ),
    }
}

fn channel_checks(folder: &Path) -> Vec<Check> {
    let shown = folder.display();
    let (snapshot, findings) = match report::judge(folder) {
        Ok(judged) => judged,
        Err(error) => {
            return vec![Check::fail(
                "streams folder",
                format!("{shown} cannot be used: {error}"),
                "make it, let this user read it, or set STREAMS_DIR",
            )];
        }
    };
    let mut checks = vec![
        Check::ok("streams folder", format!("{shown} can be read")),
        Check::ok("channels", format!("{} can be played", report::playable(&snapshot, &findings))),
    ];
    checks.extend(
        findings
            .into_iter()
            .map(|finding| Check::fail(&finding.shown(), finding.message, finding.fix)),
    );
    checks
}

async fn port(host: IpAddr, port: u16) -> Check {
    let shown = format!("port {port}");
    match TcpListener::bind(SocketAddr::new(host, port)).await {
        Ok(_) => Check::ok(&shown, "it is free"),
        Err(_) if timeout(ANSWERS, is_ours(host, port)).await.unwrap_or(false) => {
            Check::ok(&shown, "Carrete answers there already")
        }
        Err(error) => Check::fail(
            &shown,
            format!("it cannot be opened: {error}"),
            "end the program that has it, or set PORT to another (1024 or above)",
        ),
    }
}

async fn is_ours(host: IpAddr, port: u16) -> bool {
    let host = match host {
        IpAddr::V4(any) if any.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(any) if any.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        one => one,
    };
    let asked = async {
        let mut stream = TcpStream::connect((host, port)).await?;
        stream
            .write_all(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await?;
        let mut answer = Vec::new();
        stream.take(HEALTH_BYTES).read_to_end(&mut answer).await?;
        io::Result::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    asked.await.is_ok_and(|answer| {
        answer.starts_with("HTTP/1.1 ")
            && answer.contains("\"status\"")
            && answer.contains("\"version\"")
    })
}

/// 2025 to 2100: outside of that certificates and chat times are wrong.
fn clock(now: SystemTime) -> Check {
    const PLAUSIBLE: std::ops::Range<u64> = 1_735_689_600..4_102_444_800;
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    if PLAUSIBLE.contains(&seconds) {
        Check::ok("clock", "it is plausible")
    } else {
        let shown = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
        Check::fail("clock", format!("it says {shown}"), "set the time, or let NTP set it")
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use tokio::{io::AsyncWriteExt, net::TcpListener};

    use super::{Check, clock, data_folder, port};

    #[test]
    fn lines_say_the_fix() {
        assert_eq!(Check::ok("clock", "it is plausible").line(), "ok   clock: it is plausible");
        let line = Check::fail("x", "it is wrong", "mend it").line();
        assert_eq!(line, "FAIL x: it is wrong — fix: mend it");
        let json = serde_json::to_value(Check::ok("x", "y")).expect("JSON");
        assert!(json["fix"].is_null() && json["ok"] == true);
    }

    #[test]
    fn clocks_and_folders() {
        assert!(clock(UNIX_EPOCH + Duration::from_secs(1_800_000_000)).ok);
        assert!(!clock(UNIX_EPOCH).ok);
        let home = tempfile::tempdir().expect("a folder");
        assert!(data_folder(&home.path().join("a/b")).ok);
        assert_eq!(std::fs::read_dir(home.path().join("a/b")).expect("listed").count(), 0);
        // What lies there already is neither written over nor followed.
        let (theirs, link) =
            (home.path().join("theirs"), format!(".tmp-doctor-{}", std::process::id()));
        std::os::unix::fs::symlink(&theirs, home.path().join("a/b").join(link)).expect("a link");
        assert!(data_folder(&home.path().join("a/b")).ok);
        assert!(!theirs.exists());
        std::fs::write(home.path().join("file"), "").expect("written");
        assert!(!data_folder(&home.path().join("file/b")).ok);
    }

    #[tokio::test]
    async fn a_port_is_free_ours_or_taken() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        for (answer, ok) in [
            ("HTTP/1.1 200 OK\r\n\r\n{\"status\":\"ok\",\"version\":\"0.1.0\"}", true),
            ("SSH-2.0-OpenSSH_9.6\r\n", false),
        ] {
            let asked = port(address.ip(), address.port());
            let answered = async {
                let (mut socket, _) = listener.accept().await.expect("a caller");
                socket.write_all(answer.as_bytes()).await.expect("sent");
                socket.shutdown().await.expect("closed");
            };
            let (check, ()) = tokio::join!(asked, answered);
            assert_eq!(check.ok, ok, "{answer}");
        }
        drop(listener);
        assert!(port(address.ip(), address.port()).await.ok);
    }
}
