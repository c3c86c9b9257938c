//! The built site: stylesheet, scripts and pictures, made at build time in both encodings.

use std::{
    collections::HashMap,
    env,
    path::{Path, PathBuf},
    sync::Arc,
};

use app::start::Stylesheet;
use leptos::config::LeptosOptions;

/// Why the site cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// The folder of the built site is not there.
    #[error(
        "the built site is missing: run `make build`, or set LEPTOS_SITE_ROOT to its folder (looked in {0})"
    )]
    Missing(String),
    /// The names of the built files cannot be read.
    #[error("hash.txt is missing beside the program: run `make build` again")]
    Hashes,
    /// A file of the built site is not there.
    #[error("{0} is missing in the built site: run `make build` again")]
    File(&'static str),
}

/// Where the built site lies and what its files are called.
#[derive(Clone, Debug)]
pub struct Site {
    root: PathBuf,
    options: LeptosOptions,
    stylesheet: Stylesheet,
    early: Arc<str>,
}

/// The module that plays the first reel before the WASM is there, in the folder of the site.
const EARLY: &str = "early.mjs";
/// Characters of a content hash in an address.
const HASH_LENGTH: usize = 16;

impl Site {
    /// Finds the site: `LEPTOS_SITE_ROOT`, else `site` beside the program, else `../site` from it
    /// (where `tools/build.sh` puts it).
    pub fn find() -> Result<Self, SiteError> {
        let program = env::current_exe().unwrap_or_default();
        let beside = program.parent().unwrap_or(Path::new("."));
        let places = match env::var_os("LEPTOS_SITE_ROOT") {
            Some(root) => vec![PathBuf::from(root)],
            None => vec![beside.join("site"), beside.join("../site"), PathBuf::from("target/site")],
        };
        let root = places.iter().find(|place| place.join("pkg").is_dir()).ok_or_else(|| {
            let looked: Vec<_> = places.iter().map(|place| place.display().to_string()).collect();
            SiteError::Missing(looked.join(", "))
        })?;
        Self::at(root, beside)
    }

    /// The site in `root`, its file names in `beside/hash.txt`.
    ///
    /// # Errors
    /// Something of it is missing.
    pub fn at(root: &Path, beside: &Path) -> Result<Self, SiteError> {
        // Under `make dev` the names carry no hashes.
        let hashed = env::var("LEPTOS_HASH_FILES").map_or(true, |value| value == "true");
        let hashes = if hashed { read_hashes(&beside.join("hash.txt"))? } else { HashMap::new() };
        let (stylesheet, early) = match hashes.get("css") {
            Some(hash) => {
                let name = format!("pkg/carrete.{hash}.css");
                let stylesheet = Stylesheet {
                    address: format!("/{name}").into(),
                    version: hash.as_str().into(),
                    text: read(root, &name, "the stylesheet")?.into(),
                };
                let content = blake3::hash(read(root, EARLY, EARLY)?.as_bytes()).to_hex();
                (stylesheet, format!("/{EARLY}?v={}", &content[..HASH_LENGTH]))
            }
            // Both may change while they are served: no page keeps them.
            None => (
                Stylesheet {
                    address: "/pkg/carrete.css".into(),
                    version: "".into(),
                    text: "".into(),
                },
                format!("/{EARLY}"),
            ),
        };
        let root_text: Arc<str> = root.to_string_lossy().into();
        let mut options = LeptosOptions::builder()
            .output_name("carrete")
            .site_root(root_text)
            .site_pkg_dir("pkg")
            .hash_files(hashed)
            .build();
        if let Some(port) = env::var("LEPTOS_RELOAD_PORT").ok().and_then(|port| port.parse().ok()) {
            options.reload_port = port;
        }
        Ok(Self { root: root.to_owned(), options, stylesheet, early: early.into() })
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What the renderer wants to know.
    pub fn options(&self) -> &LeptosOptions {
        &self.options
    }

    /// The stylesheet.
    pub fn stylesheet(&self) -> &Stylesheet {
        &self.stylesheet
    }

    /// The address of the module that plays the first reel early; it changes with its content.
    pub fn early(&self) -> &str {
        &self.early
    }

    /// The socket of cargo-leptos that reloads pages, while it watches.
    pub fn reload_port(&self) -> Option<u32> {
        env::var_os("LEPTOS_WATCH").map(|_| self.options.reload_port)
    }
}

fn read(root: &Path, file: &str, what: &'static str) -> Result<String, SiteError> {
    std::fs::read_to_string(root.join(file)).map_err(|_| SiteError::File(what))
}

fn read_hashes(file: &Path) -> Result<HashMap<String, String>, SiteError> {
    let text = std::fs::read_to_string(file).map_err(|_| SiteError::Hashes)?;
    Ok(text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(kind, hash)| (kind.trim().to_owned(), hash.trim().to_owned()))
        .collect())
}
