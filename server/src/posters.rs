//! What Carrete makes of channels by itself: a poster where none was given, the ThumbHash of every
//! poster, the waveform of music. One thing at a time, behind everything else, kept in the data
//! folder. Nobody's request ever starts or waits for any of it.

mod download;
mod folder;
mod source;
mod thumbhash;
mod waveform;

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::Read,
    sync::Arc,
    time::Duration,
};

use app::catalog::Kind;
use tokio::{task::spawn_blocking, time::Instant};
use tokio_util::sync::CancellationToken;

use self::{
    download::Download,
    folder::{ArtifactFolder, Work},
    source::WantedFiles,
    waveform::Waveform,
};
use crate::{
    catalog::{ListedChannel, Snapshot, artifacts::Artifacts, shown},
    data_dir::DataDir,
    probe::front_cover,
    sources::Sources,
    tasks::Tasks,
    transcode::{self, IngestError, MediaInput, Still, Tools},
};

/// While there is more to make, the list is told at most so often.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// What could not be looked at for now is tried again after so long, also where nothing changes.
const TRY_AGAIN: Duration = Duration::from_secs(60);

/// What was made of a channel that is gone is kept for so long: it may come back.
const GONE_AFTER: Duration = Duration::from_secs(600);

/// How the maker works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder that things are kept in.
    pub data: DataDir,
    /// The programs that do the work.
    pub tools: Tools,
    /// When a channel is gone for good.
    pub gone_after: Duration,
}

impl Settings {
    /// As usual.
    pub fn new(data: DataDir) -> Self {
        Self { data, tools: Tools::default(), gone_after: GONE_AFTER }
    }
}

/// Starts making; the task ends with `tasks`, and ffmpeg with it.
///
/// Has to be called inside a tokio runtime.
pub fn start(settings: Settings, sources: Sources, tasks: impl Into<Tasks>) {
    let tasks = tasks.into();
    let owner = tasks.clone();
    tasks.spawn(async move {
        let mut life = owner.life("posters_task_ended");
        while life.run(make(&settings, &sources, owner.stop())).await {}
    });
}

async fn make(settings: &Settings, sources: &Sources, shutdown: &CancellationToken) {
    // What another server made in the same folder is shown while that still owns it.
    let data = settings.data.clone();
    let Ok(there) = spawn_blocking(move || ArtifactFolder::read(&data.artifacts())).await else {
        return;
    };
    show(sources, there);
    tokio::select! {
        () = shutdown.cancelled() => return,
        () = settings.data.owned() => {}
    }
    let mut warned = false;
    let (shelf, found) = loop {
        let data = settings.data.clone();
        let Ok(opened) = spawn_blocking(move || ArtifactFolder::open(&data)).await else { return };
        match opened {
            Ok(opened) => break opened,
            Err(error) if !warned => {
                let why = error.kind();
                tracing::warn!(%why, "No posters are made: the data folder cannot be written.");
                warned = true;
            }
            Err(_) => {}
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(TRY_AGAIN) => {}
        }
    };
    show(sources, found);
    let maker = Maker {
        settings: settings.clone(),
        sources: sources.clone(),
        shelf: Some(shelf),
        given_up: HashSet::new(),
        away: HashSet::new(),
        again: None,
        gone: HashMap::new(),
        warned: false,
        shutdown: shutdown.clone(),
    };
    maker.run().await;
}

fn show(sources: &Sources, found: HashMap<String, Artifacts>) {
    sources.catalog().artifacts().change(|table| *table = found);
    sources.catalog().artifacts().tell();
}

/// One thing to make.
#[derive(Clone, Debug)]
struct Job {
    work: Work,
    key: String,
    entry: Arc<ListedChannel>,
}

/// Why nothing more is made for now.
enum Pause {
    /// The server stops.
    Stop,
    /// There is no ffmpeg, or no space.
    Trouble(&'static str),
}

struct Maker {
    settings: Settings,
    sources: Sources,
    /// Away while something is written to it.
    shelf: Option<ArtifactFolder>,
    /// What is tried again at the next start only: the machine was too busy.
    given_up: HashSet<(String, Work)>,
    /// What is tried again when the list changes, or a while later: a file could not be read, or a
    /// bucket did not answer.
    away: HashSet<(String, Work)>,
    /// When that is.
    again: Option<Instant>,
    /// Keys that no channel has, and since when.
    gone: HashMap<String, Instant>,
    warned: bool,
    shutdown: CancellationToken,
}

impl Maker {
    async fn run(mut self) {
        let mut list = self.sources.catalog().subscribe();
        list.mark_changed();
        loop {
            let sweep = self.gone.values().min().map(|since| *since + self.settings.gone_after);
            let due = [sweep, self.again].into_iter().flatten().min();
            let swept = async {
                match due {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                changed = list.changed() => if changed.is_err() { return },
                () = swept => {}
            }
            self.away.clear();
            self.again = None;
            match self.make_all().await {
                Ok(()) if self.away.is_empty() => {}
                Ok(()) => self.again = Some(Instant::now() + TRY_AGAIN),
                Err(Pause::Stop) => return,
                Err(Pause::Trouble(why)) => {
                    self.again = Some(Instant::now() + TRY_AGAIN);
                    if !self.warned {
                        tracing::warn!("No posters are made for now: {why}.");
                    }
                    self.warned = true;
                }
            }
            self.sweep().await;
        }
    }

    /// Makes one thing after the other until nothing is missing.
    async fn make_all(&mut self) -> Result<(), Pause> {
        let mut told = Instant::now();
        let mut untold = false;
        let result = loop {
            let Some(snapshot) = self.sources.catalog().current() else { break Ok(()) };
            let Some(job) = self.next(&snapshot) else { break Ok(()) };
            match self.make(job).await {
                Ok(shown) => untold |= shown,
                Err(pause) => break Err(pause),
            }
            if untold && told.elapsed() >= TELL_EVERY {
                self.sources.catalog().artifacts().tell();
                (told, untold) = (Instant::now(), false);
            }
        };
        if untold {
            self.sources.catalog().artifacts().tell();
        }
        result
    }

    /// The first thing that is missing, in feed order.
    fn next(&self, snapshot: &Snapshot) -> Option<Job> {
        let shelf = self.shelf.as_ref()?;
        let missing = |key: &str, work| {
            let this = (key.to_owned(), work);
            shelf.holds(key, work).is_none()
                && !self.given_up.contains(&this)
                && !self.away.contains(&this)
        };
        // Another server is asked for nothing that nobody watches.
        let mut ours = snapshot.entries().iter().filter(|entry| {
            let is_finished = entry.media.available && !entry.record.live;
            entry.record.on_disk().is_some() || (is_finished && !entry.record.files.is_empty())
        });
        ours.find_map(|entry| {
            let (record, content) = (&entry.record, &entry.keys.content);
            let job = |key: &str, work| {
                missing(key, work).then(|| Job { work, key: key.to_owned(), entry: entry.clone() })
            };
            let music = record.kind == Kind::Audio;
            // All of it is needed: that is much to bring for nobody.
            let hears = music && !record.live && record.on_disk().is_some();
            let poster = entry.keys.poster.as_deref();
            // Only a file can carry a cover.
            let wants = poster.is_none() && (!music || record.bare);
            let shown = poster
                .or_else(|| (shelf.holds(content, Work::Poster) == Some(true)).then_some(content));
            wants
                .then(|| job(content, Work::Poster))
                .flatten()
                .or_else(|| job(shown?, Work::Thumbhash))
                .or_else(|| hears.then(|| job(content, Work::Waveform)).flatten())
        })
    }

    /// Makes one thing and keeps it; whether there is something new to show.
    async fn make(&mut self, job: Job) -> Result<bool, Pause> {
        let name = shown(&job.entry.name);
        let bytes = match self.made_of(&job).await {
            Ok(bytes) => bytes,
            Err(IngestError::Stopped) => return Err(Pause::Stop),
            Err(IngestError::NoTool(_)) => return Err(Pause::Trouble("ffmpeg is not installed")),
            Err(IngestError::Stalled(limit)) => {
                let limit_s = limit.as_secs();
                tracing::warn!(limit_s, work = ?job.work, "{name} took too long to look at.");
                self.given_up.insert((job.key, job.work));
                return Ok(false);
            }
            Err(IngestError::UnreadableInput(_)) => {
                self.away.insert((job.key, job.work));
                return Ok(false);
            }
            Err(error) => {
                // What ffmpeg says names places of this host.
                tracing::debug!(%error, work = ?job.work, "nothing could be made of {name}");
                if job.work == Work::Poster && job.entry.record.kind == Kind::Video {
                    tracing::warn!("{name} gets no poster: ffmpeg finds no picture in it.");
                }
                Vec::new()
            }
        };
        let Some(mut shelf) = self.shelf.take() else { return Err(Pause::Stop) };
        let before = self.sources.catalog().artifacts().get(&job.key);
        let kept = spawn_blocking(move || {
            let mut made = before;
            let kept = shelf.keep(&job.key, job.work, &bytes, &mut made);
            (shelf, job, made, kept)
        });
        let Ok((shelf, job, made, kept)) = kept.await else { return Err(Pause::Stop) };
        let shown = shelf.holds(&job.key, job.work) == Some(true);
        self.shelf = Some(shelf);
        if kept.is_err() {
            return Err(Pause::Trouble("the data folder takes no more files"));
        }
        self.sources.catalog().artifacts().change(|table| drop(table.insert(job.key, made)));
        Ok(shown)
    }

    /// The bytes; none where there is nothing to make it of.
    async fn made_of(&self, job: &Job) -> Result<Vec<u8>, IngestError> {
        let (tools, stop) = (&self.settings.tools, &self.shutdown);
        let gone = || IngestError::UnreadableInput(job.entry.name.clone().into());
        let record = job.entry.record.clone();
        match job.work {
            Work::Poster if record.on_disk().is_none() => {
                let Some(wanted) = source::beginning(&record) else { return Ok(Vec::new()) };
                let brought = self.bring(job, &wanted).await.ok_or_else(gone)?;
                if record.kind == Kind::Audio {
                    return self.cover(brought.film()).await;
                }
                transcode::picture(tools, brought.film(), wanted.at_s, stop).await
            }
            Work::Poster if record.kind == Kind::Audio => {
                let film = blocking(move || source::whole(&record)).await.ok_or_else(gone)?;
                self.cover(film).await
            }
            Work::Poster => {
                let part = blocking(move || source::part(&record)).await;
                let Some((film, at_s)) = part else { return Ok(Vec::new()) };
                transcode::picture(tools, film, at_s, stop).await
            }
            Work::Thumbhash => {
                let (film, still, _brought) = self.poster(job).await.ok_or_else(gone)?;
                let Some(still) = still else { return Ok(Vec::new()) };
                let tiny = transcode::tiny(tools, film, still, stop).await?;
                Ok(thumbhash::of_pam(&tiny).unwrap_or_default().into_bytes())
            }
            Work::Waveform => {
                let film = blocking(move || source::whole(&record)).await;
                let Some(film) = film else { return Ok(Vec::new()) };
                let mut waveform = Waveform::new(transcode::SOUND_RATE);
                transcode::sound(tools, film, |bytes| waveform.hear(bytes), stop).await?;
                Ok(waveform.finish(transcode::SOUND_RATE).unwrap_or_default().into_bytes())
            }
        }
    }

    /// The cover of music: that of the front, wherever it stands among the others.
    async fn cover(&self, film: MediaInput) -> Result<Vec<u8>, IngestError> {
        let (tools, stop) = (&self.settings.tools, &self.shutdown);
        if let MediaInput::File(path) = &film {
            let path = path.clone();
            let front = blocking(move || front_cover(&path)).await;
            let front = front.and_then(|bytes| Some((Still::of(&bytes)?, bytes)));
            if let Some((still, bytes)) = front {
                return transcode::still(tools, bytes, still, stop).await;
            }
        }
        transcode::cover(tools, film, stop).await
    }

    async fn bring(&self, job: &Job, wanted: &WantedFiles) -> Option<Download> {
        let root = self.shelf.as_ref()?.root();
        let prefix = ArtifactFolder::aside(&job.key, job.work);
        tokio::select! {
            () = self.shutdown.cancelled() => None,
            brought = Download::of(&self.sources, &job.entry.record, wanted, root, &prefix) => brought,
        }
    }

    /// The poster, given or made, and its format; `None` where it cannot be read. A given one that was
    /// brought here stays as long as what comes with it.
    async fn poster(&self, job: &Job) -> Option<(MediaInput, Option<Still>, Option<Download>)> {
        let record = &job.entry.record;
        let mut brought = None;
        let (root, file) = match (record.poster.as_deref(), record.on_disk()) {
            (Some(given), Some((root, folder))) => (root.to_owned(), folder.join(given)),
            (Some(_), None) => {
                let root = self.shelf.as_ref()?.root().to_owned();
                let here = brought.insert(self.bring(job, &source::given(record)?).await?);
                (root, here.first()?.to_owned())
            }
            (None, _) => {
                let root = self.shelf.as_ref()?.root();
                (root.to_owned(), root.join(ArtifactFolder::name(&job.key, Work::Poster)))
            }
        };
        let path = file.clone();
        let still = blocking(move || {
            let mut head = Vec::new();
            File::open(path).ok()?.take(16).read_to_end(&mut head).ok()?;
            Some(Still::of(&head))
        });
        Some((MediaInput::Chain { root, files: vec![file] }, still.await?, brought))
    }

    /// Removes what was made of channels that are gone for long. An empty list is no reason: the
    /// folder may be away.
    async fn sweep(&mut self) {
        let Some(snapshot) =
            self.sources.catalog().current().filter(|snapshot| !snapshot.is_empty())
        else {
            self.gone.clear();
            return;
        };
        let Some(mut shelf) = self.shelf.take() else { return };
        let keys = snapshot.entries().iter().flat_map(|entry| {
            [Some(entry.keys.content.as_str()), entry.keys.poster.as_deref()].into_iter().flatten()
        });
        let listed: HashSet<&str> = keys.collect();
        let now = Instant::now();
        self.gone.retain(|key, _| !listed.contains(key.as_str()));
        for key in shelf.keys().filter(|key| !listed.contains(key)) {
            self.gone.entry(key.to_owned()).or_insert(now);
        }
        let after = self.settings.gone_after;
        let due: Vec<String> =
            self.gone.extract_if(|_, since| now >= *since + after).map(|(key, _)| key).collect();
        self.sources.catalog().artifacts().change(|table| {
            for key in &due {
                table.remove(key);
            }
        });
        let removed = spawn_blocking(move || {
            for key in &due {
                shelf.remove(key);
            }
            shelf
        });
        self.shelf = removed.await.ok();
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Option<T> + Send + 'static,
) -> Option<T> {
    spawn_blocking(work).await.ok().flatten()
}
