//! What a SIGKILL of ours leaves behind: no ffmpeg, nothing visible, nothing in the way.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{fixtures::Streams, program};

/// Longer than anything promised.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a program of ours may go on without us.
const OUTLIVES: Duration = Duration::from_secs(1);

const PROGRAM: &str = env!("CARGO_BIN_EXE_carrete");

/// Programs in the place of ffmpeg and ffprobe that say who they are and never end.
struct Endless {
    folder: TempDir,
}

impl Endless {
    fn new(tools: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let said = folder.path().join("said");
        fs::create_dir(&said).expect("a folder");
        for tool in tools {
            let path = folder.path().join(tool);
            let script = format!("#!/bin/sh\ntouch {}/$$\nexec sleep 300\n", said.display());
            fs::write(&path, script).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("allowed");
        }
        Self { folder }
    }

    fn path(&self) -> String {
        let usual = std::env::var("PATH").unwrap_or_default();
        format!("{}:{usual}", self.folder.path().display())
    }

    /// The process that stands in a tool's place, once there is one that has begun to wait.
    fn started(&self) -> u32 {
        until("no tool was started", || {
            let said = fs::read_dir(self.folder.path().join("said")).expect("a folder");
            let numbers = said.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
            let waits =
                |number: &u32| said_by(*number).is_some_and(|words| words.contains("sleep"));
            numbers.into_iter().find(waits)
        })
    }
}

/// The words that a living process was started with.
fn said_by(number: u32) -> Option<String> {
    let proc = Path::new("/proc").join(number.to_string());
    let stat = fs::read_to_string(proc.join("stat")).ok()?;
    if stat.contains(") Z ") {
        return None;
    }
    let words = fs::read(proc.join("cmdline")).ok()?;
    Some(String::from_utf8_lossy(&words).replace('\0', " "))
}

/// A living process whose words hold all of these.
fn process(parts: &[&str]) -> Option<u32> {
    let processes = fs::read_dir("/proc").expect("a list of processes");
    processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).find(|number| {
        said_by(*number).is_some_and(|words| parts.iter().all(|part| words.contains(part)))
    })
}

fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Fails if the process is still there a second from now.
fn ends(number: u32, whose: &str) {
    let killed = Instant::now();
    while said_by(number).is_some() {
        assert!(killed.elapsed() < OUTLIVES, "{whose} lives on: {:?}", said_by(number));
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn film(path: &Path, size: &str, seconds: u32) {
    let source = format!("testsrc2=r=25:d={seconds}:s={size}");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "lavfi", "-i", &source, "-preset", "ultrafast"])
        .args(["-pix_fmt", "yuv420p"])
        .arg(path)
        .status();
    assert!(made.expect("ffmpeg runs").success());
}

fn convert(streams: &Streams, input: &Path, profile: &str, path: &str) -> Child {
    Command::new(PROGRAM)
        .arg("convert")
        .arg(input)
        .args(["canal", profile])
        .current_dir(streams.outside(""))
        .env("STREAMS_DIR", streams.path(""))
        .env("DATA_DIR", streams.folders().data)
        .env("PATH", path)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts")
}

fn listed(streams: &Streams) -> Vec<String> {
    let entries = fs::read_dir(streams.path("")).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn usual_path() -> String {
    std::env::var("PATH").unwrap_or_default()
}

/// A second conversion finds nothing in its way and clears away what the first has left.
fn again(streams: &Streams, input: &Path) {
    let ended = convert(streams, input, "low", &usual_path()).wait_with_output().expect("it ends");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(listed(streams), ["canal"]);
}

#[test]
fn no_tool_outlives_a_killed_conversion() {
    for tool in ["ffprobe", "ffmpeg"] {
        let streams = Streams::new();
        let input = streams.outside("film.mp4");
        film(&input, "160x90", 2);
        let endless = Endless::new(&[tool]);
        let mut converting = convert(&streams, &input, "low", &endless.path());
        let number = endless.started();
        converting.kill().expect("killed");
        ends(number, tool);
        converting.wait().expect("it ends");
        assert!(listed(&streams).iter().all(|name| name.starts_with('.')), "{tool}");
        again(&streams, &input);
    }
}

#[test]
fn the_real_ffmpeg_does_not_outlive_us_either() {
    let streams = Streams::new();
    let input = streams.outside("film.mp4");
    film(&input, "1280x720", 20);
    let mut converting = convert(&streams, &input, "high", &usual_path());
    let begun = || {
        let hidden = listed(&streams).into_iter().find(|name| name.starts_with(".tmp-canal-"))?;
        streams.path(&hidden).join("segment00000.m4s").exists().then_some(())
    };
    until("nothing was converted", begun);
    let home = streams.outside("film.mp4").display().to_string();
    let number = process(&["ffmpeg", &home, "segment%05d"]).expect("ffmpeg at work");
    converting.kill().expect("killed");
    ends(number, "ffmpeg");
    converting.wait().expect("it ends");
    film(&input, "160x90", 2);
    again(&streams, &input);
}

#[tokio::test]
async fn no_tool_outlives_a_killed_server_that_makes_a_poster() {
    let streams = Streams::new();
    film(&streams.path("film.mp4"), "160x90", 2);
    let endless = Endless::new(&["ffmpeg"]);
    let mut server = program::carrete_with(&streams, &[("PATH", &endless.path())]).await;
    let number = endless.started();
    server.kill();
    ends(number, "ffmpeg");
}

#[test]
fn a_tool_whose_parent_is_gone_already_does_not_begin() {
    // Nobody's parent is the process that starts it here: it is this test.
    let began = Instant::now();
    let ended = Command::new(PROGRAM).args(["hold", "1", "sleep", "60"]).status().expect("it ends");
    assert!(!ended.success());
    assert!(began.elapsed() < PATIENCE, "it slept for {:?}", began.elapsed());
}

#[test]
fn a_tool_that_is_not_there_is_named() {
    let streams = Streams::new();
    let input = streams.outside("film.mp4");
    film(&input, "160x90", 2);
    let empty = streams.outside("bin");
    fs::create_dir(&empty).expect("a folder");
    let child = convert(&streams, &input, "low", &empty.display().to_string());
    let ended = child.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!ended.status.success());
    assert!(told.contains("ffprobe is not installed"), "{told}");
    assert_eq!(listed(&streams), [""; 0]);
}

#[test]
fn a_doctor_that_is_killed_leaves_no_tool() {
    let (streams, tools) = (Streams::new(), Endless::new(&["ffmpeg"]));
    let mut doctor = Command::new(PROGRAM)
        .arg("doctor")
        .current_dir(streams.outside(""))
        .env("STREAMS_DIR", streams.path(""))
        .env("DATA_DIR", streams.folders().data)
        .env("PATH", tools.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let tool = tools.started();
    doctor.kill().expect("killed");
    doctor.wait().expect("it has ended");
    ends(tool, "the doctor's ffmpeg");
}
