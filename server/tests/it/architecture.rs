//! Who may know whom, read from the sources: the table of ARCHITECTURE.md as a test.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Knows no feature; every other module may know it.
const GROUND: [&str; 13] = [
    "addresses",
    "cache",
    "client_address",
    "clock",
    "config",
    "data_dir",
    "error",
    "hls",
    "metrics",
    "probe",
    "storage",
    "tasks",
    "telemetry",
];

/// What each feature may know beside the ground. A path of two names is that part of a feature and
/// no other.
const FEATURES: [(&str, &[&str]); 10] = [
    ("catalog", &[]),
    ("chat", &[]),
    ("delivery", &["catalog", "sources"]),
    ("doctor", &["sources::report", "transcode::IngestError", "transcode::version"]),
    ("transcode", &[]),
    ("websocket", &["catalog", "chat"]),
    ("posters", &["catalog", "sources", "transcode"]),
    ("sources", &["catalog"]),
    (
        "transfer",
        &[
            "catalog::Problem",
            "catalog::nfc",
            "catalog::stem",
            "sources::BucketConfig",
            "sources::complete",
            "sources::read_complete",
            "transcode::IngestError",
            "transcode::Staging",
            "transcode::OutputFormat",
        ],
    ),
    ("rum", &["chat::Addresses"]),
];

/// Knows everything; nothing below may know it.
const ROOF: [&str; 5] = ["cli", "http", "lib", "main", "serve"];

/// What belongs to the server's side.
const SERVER_SIDE: [&str; 6] = ["axum", "tokio", "sqlx", "aws", "hyper", "tower"];

/// Names that say nothing.
const EMPTY_NAMES: [&str; 7] =
    ["util", "utils", "helper", "helpers", "common", "manager", "managers"];

/// A longer file is split.
const LINES_MAX: usize = 600;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file below `folder`, with its path relative to it. What is built, installed or vendored is
/// not ours.
fn files(folder: &Path) -> Vec<(String, PathBuf)> {
    const FOREIGN: [&str; 4] = ["target", "node_modules", "vendor", "streams"];
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder of the repository") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') || FOREIGN.contains(&&*name) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                let relative = path.strip_prefix(folder).expect("below the folder");
                found.push((relative.to_string_lossy().into_owned(), path.clone()));
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The sources of a crate without their tests, by path below its `src`.
fn sources(name: &str) -> Vec<(String, String)> {
    let found = files(&repository().join(name).join("src"));
    assert!(!found.is_empty(), "{name} has no sources");
    found
        .into_iter()
        .filter(|(path, _)| path.ends_with(".rs") && !path.ends_with("tests.rs"))
        .map(|(path, file)| (path, program(&read(&file))))
        .collect()
}

/// The program of a file: no comments and no tests.
fn program(text: &str) -> String {
    const TESTS: &str = "#[cfg(test)]\nmod tests {";
    let (before, tests) = text.split_once(TESTS).unwrap_or((text, ""));
    let after = tests.split_once("\n}").map_or("", |(_, after)| after);
    let lines = before.lines().chain(after.lines());
    let mut program = String::new();
    for line in lines.filter(|line| !line.trim_start().starts_with("//")) {
        program.push_str(line);
        program.push('\n');
    }
    program
}

/// Every path that begins with `crate::`, in `use` trees and in bodies.
fn paths(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let before = text[..at].chars().next_back();
        if before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '$') {
            branch(&text[at + "crate::".len()..], &[], &mut found);
        }
    }
    found
}

/// Reads one branch of a `use` tree; answers what is left behind it.
fn branch<'a>(text: &'a str, stem: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start().trim_start_matches(',').trim_start();
            match rest.strip_prefix('}') {
                Some(rest) => return rest,
                None if rest.is_empty() => return rest,
                None => rest = branch(rest, stem, found),
            }
        }
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let mut path = stem.to_vec();
    path.push(name.to_owned());
    if let Some(rest) = rest.strip_prefix("::")
        && rest.trim_start().starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '{')
    {
        return branch(rest, &path, found);
    }
    found.push(path);
    // `as` names, or a star: up to what ends the branch.
    rest.find([',', '}', ';']).map_or("", |end| &rest[end..])
}

/// The module of a file: `hls/render.rs` is `hls`.
fn module(path: &str) -> &str {
    path.split('/').next().unwrap_or(path).trim_end_matches(".rs")
}

/// What is wrong with the edges of one file of the server.
fn wrong_edges(path: &str, program: &str) -> Vec<String> {
    let from = module(path);
    let mut wrong = Vec::new();
    let top = !path.contains('/');
    let climbs = program.contains("super::super::") || (top && program.contains("super::"));
    if climbs && !ROOF.contains(&from) {
        wrong.push(format!("{path} climbs out of its module by `super`; write `crate::`"));
    }
    let allowed: &[&str] = match FEATURES.iter().find(|(name, _)| *name == from) {
        _ if ROOF.contains(&from) => return wrong,
        Some((_, allowed)) => allowed,
        None if GROUND.contains(&from) => &[],
        None => return vec![format!("{path} has no floor: give it a place in this table")],
    };
    for names in paths(program) {
        let to = names.first().map(String::as_str).unwrap_or_default();
        let two = names.iter().take(2).map(String::as_str).collect::<Vec<_>>().join("::");
        if to != from
            && !GROUND.contains(&to)
            && !allowed.contains(&to)
            && !allowed.contains(&&*two)
        {
            wrong.push(format!("{path} may not know crate::{}", names.join("::")));
        }
    }
    wrong
}

fn names(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let joins = |c: char| c.is_alphanumeric() || c == '_';
        let before = text[..at].chars().next_back().is_some_and(joins);
        let after = text[at + word.len()..].chars().next();
        // `aws` also stands for `aws_sdk_s3`.
        !before && after.is_none_or(|c| !c.is_alphanumeric())
    })
}

fn check(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn modules_know_only_whom_they_may() {
    let wrong: Vec<_> =
        sources("server").iter().flat_map(|(path, program)| wrong_edges(path, program)).collect();
    check(&wrong);
}

/// What a room may know, with all that those may know in turn.
fn reach<'a>(rooms: &[(&'a str, &[&'a str])], from: &'a str, seen: &mut BTreeSet<&'a str>) {
    let known = rooms.iter().find(|(name, _)| *name == from).map_or(&[][..], |(_, known)| known);
    for to in known.iter().filter_map(|path| path.split("::").next()) {
        if seen.insert(to) {
            reach(rooms, to, seen);
        }
    }
}

/// Rooms that come back to themselves by what they may know.
fn circles<'a>(rooms: &[(&'a str, &[&'a str])]) -> Vec<&'a str> {
    let names = rooms.iter().map(|(name, _)| *name);
    names
        .filter(|name| {
            let mut seen = BTreeSet::new();
            reach(rooms, name, &mut seen);
            seen.contains(name)
        })
        .collect()
}

#[test]
fn no_room_knows_itself_by_a_detour_and_none_knows_the_roof() {
    assert_eq!(circles(&FEATURES), [""; 0]);
    assert_eq!(
        circles(&[("a", &["b::x"]), ("b", &["c"]), ("c", &["a"]), ("d", &["a"])]),
        ["a", "b", "c"]
    );
    let known = FEATURES.iter().flat_map(|(_, known)| known.iter());
    let roof = known.filter(|path| ROOF.iter().any(|roof| path.split("::").next() == Some(roof)));
    assert_eq!(roof.count(), 0);
}

#[test]
fn wrong_edges_are_seen() {
    let refused = |path, text: &str| wrong_edges(path, &program(text)).len();
    assert_eq!(
        refused("chat/hub.rs", "use crate::{config::Rate, websocket::{Limits, follow}};"),
        2
    );
    assert_eq!(refused("chat.rs", "fn f() { crate::delivery::range::read() }"), 1);
    assert_eq!(refused("catalog/ids.rs", "use crate::sources::{Source, Sources};"), 2);
    assert_eq!(refused("catalog/ids.rs", "use crate::delivery;"), 1);
    assert_eq!(refused("hls/render.rs", "use crate::catalog::Entry;"), 1);
    assert_eq!(refused("delivery.rs", "use crate::catalog::Entry;"), 0);
    assert_eq!(refused("config.rs", "use crate::http::state::AppState;"), 1);
    assert_eq!(refused("websocket/session.rs", "use super::super::router;"), 1);
    assert_eq!(refused("linear.rs", ""), 1);
    assert_eq!(refused("http/router.rs", "use crate::{chat, hls::*};"), 0);
    let tests = "// crate::websocket\n#[cfg(test)]\nmod tests {\n    use crate::websocket;\n}\n";
    assert_eq!(refused("chat.rs", tests), 0);
    assert_eq!(refused("chat.rs", &format!("{tests}use crate::websocket;\n")), 1);
}

/// The names in backticks of a cell, those in braces written out.
fn names_of(cell: &str) -> Vec<String> {
    let words = cell.split('`').skip(1).step_by(2);
    let mut names: Vec<String> = words
        .flat_map(|word| match word.strip_suffix('}').and_then(|word| word.split_once("::{")) {
            Some((above, below)) => {
                below.split(", ").map(|name| format!("{above}::{name}")).collect()
            }
            None => vec![word.to_owned()],
        })
        .collect();
    names.sort();
    names
}

#[test]
fn the_document_has_the_same_table() {
    let text = read(&repository().join("ARCHITECTURE.md"));
    let (_, table) = text.split_once("| floor | modules | may know |\n").expect("the table");
    let mut floor = "";
    let mut told = Vec::new();
    for row in table.lines().skip(1).take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        floor = Some(cells[1]).filter(|floor| !floor.is_empty()).unwrap_or(floor);
        // What stands behind a semicolon is of a part of the module.
        let known = names_of(cells[3].split(';').next().unwrap_or_default());
        told.extend(
            names_of(cells[2]).into_iter().map(|name| (floor.to_owned(), name, known.clone())),
        );
    }
    told.sort();
    let plain = |floor: &str, name: &str| (floor.to_owned(), name.to_owned(), Vec::new());
    let mut tested: Vec<_> = FEATURES
        .iter()
        .map(|(name, known)| {
            let mut known: Vec<String> = known.iter().map(|name| (*name).to_owned()).collect();
            known.sort();
            ("features".to_owned(), (*name).to_owned(), known)
        })
        .collect();
    tested.extend(ROOF.map(|name| plain("roof", name)));
    tested.extend(GROUND.map(|name| plain("ground", name)));
    tested.sort();
    assert_eq!(told, tested);
}

#[test]
fn every_floor_is_inhabited() {
    let sources = sources("server");
    let lives = |name: &str| sources.iter().any(|(path, _)| module(path) == name);
    let features = FEATURES.iter().map(|(name, _)| name);
    for name in GROUND.iter().chain(&ROOF).chain(features) {
        assert!(lives(name), "{name} is in the table and not in server/src");
    }
}

#[test]
fn hyper_is_the_version_that_the_kernel_was_tried_with() {
    let text = read(&repository().join("server/Cargo.toml"));
    let manifest: toml::Table = text.parse().expect("a manifest");
    let pinned = manifest["dependencies"]["hyper"]["version"].as_str().expect("a version");
    assert!(
        pinned.starts_with('='),
        "docs/decisions/0118 leans on what hyper does inside: {pinned}"
    );
    let lock: toml::Table = read(&repository().join("Cargo.lock")).parse().expect("a lock file");
    let all = lock["package"].as_array().expect("packages").iter();
    let versions: Vec<_> = all
        .filter(|package| package["name"].as_str() == Some("hyper"))
        .filter_map(|package| package["version"].as_str())
        .filter(|version| version.starts_with("1."))
        .collect();
    assert_eq!(versions, [pinned.trim_start_matches('=')]);
}

#[test]
fn the_app_knows_neither_server_nor_disk() {
    let mut wrong = Vec::new();
    for name in ["app", "frontend"] {
        for (path, program) in sources(name) {
            for word in SERVER_SIDE.into_iter().chain(["std::fs", "std::process", "carrete::"]) {
                if names(&program, word) {
                    wrong.push(format!("{name}/src/{path} names {word}"));
                }
            }
            if names(&program.replace("#[cfg(test)]", ""), "cfg") {
                wrong.push(format!("{name}/src/{path} has a cfg: the crates are the switch"));
            }
        }
    }
    check(&wrong);
}

#[test]
fn crates_point_at_the_app() {
    let ours = |manifest: &str| {
        let text = read(&repository().join(manifest).join("Cargo.toml"));
        let manifest: toml::Table = text.parse().expect("a manifest");
        let names = manifest["dependencies"].as_table().expect("a table").keys();
        let crates = ["app", "frontend", "server"];
        names.filter(|name| crates.contains(&name.as_str())).cloned().collect::<Vec<_>>()
    };
    assert_eq!(ours("frontend"), ["app"]);
    assert_eq!(ours("server"), ["app"]);
    assert!(ours("app").is_empty());
}

#[test]
fn nothing_is_unbounded_or_forgotten() {
    let mut wrong = Vec::new();
    for (name, words) in [
        ("app", &[".forget()", "mem::forget", "unbounded"][..]),
        ("frontend", &[".forget()", "mem::forget", "unbounded"]),
        ("server", &["mem::forget", "unbounded"]),
    ] {
        for (path, program) in sources(name) {
            for word in words.iter().filter(|word| program.contains(**word)) {
                wrong.push(format!("{name}/src/{path} has {word}"));
            }
        }
    }
    check(&wrong);
}

#[test]
fn files_are_named_after_what_they_hold_and_are_pages() {
    let mut wrong = Vec::new();
    for (path, file) in files(&repository()) {
        let parts = path.split('/').map(|part| part.split('.').next().unwrap_or(part));
        if let Some(part) = parts.into_iter().find(|part| EMPTY_NAMES.contains(part)) {
            wrong.push(format!("{path}: {part:?} says nothing of what is in it"));
        }
        if path.ends_with("/mod.rs") {
            wrong.push(format!("{path}: write foo.rs beside foo/"));
        }
        let code = [".rs", ".ts", ".css"].iter().any(|end| path.ends_with(end));
        let lines = if code { read(&file).lines().count() } else { 0 };
        if lines > LINES_MAX {
            wrong.push(format!("{path} has {lines} lines; split it"));
        }
    }
    check(&wrong);
}
