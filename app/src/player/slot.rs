//! One of the two media elements, with what is bound to it. An element is made once and kept for
//! life: only one that was unmuted inside a gesture may sound.

mod buffer;
mod run;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

use leptos::{prelude::document, task::spawn_local};
use wasm_bindgen::JsCast;
use web_sys::{EventTarget, HtmlMediaElement, HtmlVideoElement};

use super::{
    early::EarlyPlayback,
    frames::Frames,
    hls::{self, Binding, Engine, HlsEvent, LoadOptions},
    text_tracks::TextTracks,
};
use crate::{
    catalog::{Kind, Media},
    dom::{Listener, Timer, get},
};

/// What a slot tells its pool.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SlotEvent {
    /// The element knows its first picture.
    Ready,
    /// The playhead moved.
    Time,
    /// The length is known, or another one.
    Duration,
    /// It waits for data.
    Waiting,
    /// It plays again.
    Playing,
    /// It came to its end and does not loop.
    Ended,
    /// The n-th different frame was presented, n being 1 or 2.
    Frame(u32),
    /// The run-up is done: it stands ready, decoded and past its first frames.
    RunUp,
    /// A caption begins or ends.
    Cue,
    /// There are other captions to choose from, or somebody else chose.
    Tracks,
    /// The element plays, whoever asked for it.
    Began,
    /// The element was paused, whoever asked for it.
    Stopped,
    /// The browser has received bytes.
    Bytes,
    /// Playing was refused; without sound, or with it.
    Refused {
        /// It was muted.
        muted: bool,
    },
    /// Data arrived.
    Hls(HlsEvent),
    /// The element itself gave up.
    Broken,
    /// The library did not come.
    NoLibrary,
    /// This browser has no way to play it.
    Unsupported,
}

/// A media element: muted, inline, no stop for the keyboard.
pub(crate) fn element() -> Option<HtmlVideoElement> {
    let video: HtmlVideoElement = document().create_element("video").ok()?.unchecked_into();
    prepare(&video)?;
    Some(video)
}

/// Makes an element what those of the pool are.
pub(crate) fn prepare(video: &HtmlVideoElement) -> Option<()> {
    for (name, value) in [
        ("playsinline", ""),
        ("tabindex", "-1"),
        ("disableremoteplayback", ""),
        ("preload", "auto"),
    ] {
        video.set_attribute(name, value).ok()?;
    }
    video.set_muted(true);
    Some(())
}

/// One element and what it holds.
pub(crate) struct Slot {
    /// The element; in the document only while its reel is the active one.
    pub(crate) video: HtmlVideoElement,
    /// Its presented frames.
    pub(crate) frames: Frames,
    media: RefCell<Option<Arc<Media>>>,
    binding: RefCell<Option<Rc<Binding>>>,
    /// Counts loads: what an older load still has to tell is not heard.
    load: Rc<Cell<u32>>,
    ready: Cell<bool>,
    /// It was given up: only a new load helps.
    failed: Cell<bool>,
    run_up: Cell<bool>,
    from_s: Cell<f64>,
    run: RefCell<Option<Timer>>,
    listeners: RefCell<Vec<Listener>>,
    tracks: TextTracks,
    emit: Rc<dyn Fn(SlotEvent)>,
}

impl Slot {
    /// Binds an element, which tells `emit` what happens to it.
    pub(crate) fn new(video: HtmlVideoElement, emit: Rc<dyn Fn(SlotEvent)>) -> Rc<Self> {
        let frames = Frames::new(&video, {
            let emit = Rc::clone(&emit);
            move |n| emit(SlotEvent::Frame(n))
        });
        let cued = Rc::clone(&emit);
        let slot = Rc::new(Self {
            video,
            frames,
            media: RefCell::default(),
            binding: RefCell::default(),
            load: Rc::default(),
            ready: Cell::new(false),
            failed: Cell::new(false),
            run_up: Cell::new(false),
            from_s: Cell::new(0.0),
            run: RefCell::default(),
            listeners: RefCell::default(),
            tracks: TextTracks::new(Rc::new(move || cued(SlotEvent::Cue))),
            emit,
        });
        let of = |target: &EventTarget, name: &'static str, event: SlotEvent| {
            let weak = Rc::downgrade(&slot);
            Listener::new(target, name, move |_| {
                if let Some(slot) = weak.upgrade() {
                    slot.on_event(&event);
                }
            })
        };
        let mut listeners: Vec<_> = [
            ("loadeddata", SlotEvent::Ready),
            ("timeupdate", SlotEvent::Time),
            ("durationchange", SlotEvent::Duration),
            ("waiting", SlotEvent::Waiting),
            ("playing", SlotEvent::Playing),
            ("play", SlotEvent::Began),
            ("pause", SlotEvent::Stopped),
            ("progress", SlotEvent::Bytes),
            ("ended", SlotEvent::Ended),
            ("error", SlotEvent::Broken),
        ]
        .into_iter()
        .map(|(name, event)| of(&slot.video, name, event))
        .collect();
        // hls.js adds the captions of a playlist when it knows them, and may choose one of them.
        let tracks: EventTarget = get(&slot.video, "textTracks").unchecked_into();
        listeners.extend(
            ["addtrack", "removetrack", "change"].map(|name| of(&tracks, name, SlotEvent::Tracks)),
        );
        *slot.listeners.borrow_mut() = listeners;
        slot
    }

    fn on_event(&self, event: &SlotEvent) {
        // An element without a reel only tells of its own emptying.
        if self.media.borrow().is_none() {
            return;
        }
        if *event == SlotEvent::Ready {
            self.ready.set(true);
        }
        (self.emit)(event.clone());
    }

    /// The reel it holds.
    pub(crate) fn media(&self) -> Option<Arc<Media>> {
        self.media.borrow().clone()
    }

    /// Whether it holds this reel, at this state.
    pub(crate) fn holds(&self, media: &Media) -> bool {
        !self.failed.get()
            && self
                .media
                .borrow()
                .as_ref()
                .is_some_and(|held| held.id == media.id && held.url == media.url)
    }

    /// Whether its first picture is decoded.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.get()
    }

    /// Whether asking it to play leads to anything: its first picture is decoded, or the browser loads
    /// it by itself.
    pub(crate) fn may_play(&self) -> bool {
        self.is_ready() || (self.binding.borrow().is_none() && self.video.has_attribute("src"))
    }

    /// Whether it has run up.
    pub(crate) fn has_run_up(&self) -> bool {
        self.run_up.get()
    }

    /// Loads a reel, forgetting what it held.
    pub(crate) fn load(self: &Rc<Self>, media: &Arc<Media>, options: LoadOptions) {
        self.unbind();
        let load = self.load.get().wrapping_add(1);
        self.load.set(load);
        self.ready.set(false);
        self.failed.set(false);
        self.run_up.set(false);
        self.from_s.set(options.from_s.unwrap_or(0.0));
        *self.media.borrow_mut() = Some(Arc::clone(media));
        self.tracks.replace(&self.video, &media.subtitles);
        if media.is_hls() {
            self.load_playlist(media, options, load, false);
        } else if self.video.can_play_type(&media.mime).is_empty() {
            self.emit_soon(load, SlotEvent::Unsupported);
        } else {
            self.load_file(media, options);
        }
    }

    /// Lets the browser load it by itself.
    fn load_file(&self, media: &Media, options: LoadOptions) {
        self.video.set_src(&media.url);
        if let Some(from_s) = options.from_s {
            self.video.set_current_time(from_s);
        }
    }

    /// Goes where it is to begin, where the browser has not: it may forget a second that was set
    /// before it knew the length.
    pub(crate) fn stand_at_begin(&self) {
        let from_s = self.from_s.get();
        if self.binding().is_none() && self.video.current_time() + 1.0 < from_s {
            self.video.set_current_time(from_s);
        }
    }

    /// Tells it when whoever loads has finished with it.
    fn emit_soon(self: &Rc<Self>, load: u32, event: SlotEvent) {
        let weak = Rc::downgrade(self);
        spawn_local(async move {
            if let Some(slot) = weak.upgrade().filter(|slot| slot.load.get() == load) {
                (slot.emit)(event);
            }
        });
    }

    /// With the library's `full` build where the playlist has sound or subtitles of its own: the
    /// light one knows neither.
    fn load_playlist(
        self: &Rc<Self>,
        media: &Arc<Media>,
        options: LoadOptions,
        load: u32,
        full: bool,
    ) {
        if let Some(engine) = hls::loaded(full) {
            self.bind(&engine, media, options, load);
            return;
        }
        let (weak, media) = (Rc::downgrade(self), Arc::clone(media));
        spawn_local(async move {
            let engine = hls::load(full).await;
            let Some(slot) = weak.upgrade().filter(|slot| slot.load.get() == load) else { return };
            match engine {
                Ok(engine) => slot.bind(&engine, &media, options, load),
                Err(_) => (slot.emit)(SlotEvent::NoLibrary),
            }
        });
    }

    fn bind(self: &Rc<Self>, engine: &Engine, media: &Arc<Media>, options: LoadOptions, load: u32) {
        match engine {
            Engine::Native => self.load_file(media, options),
            Engine::None => self.emit_soon(load, SlotEvent::Unsupported),
            Engine::Library(library) => {
                let report = self.reporter(media, options, load);
                match Binding::new(library, &self.video, &media.url, options, report) {
                    Ok(binding) => *self.binding.borrow_mut() = Some(Rc::new(binding)),
                    Err(_) => self.emit_soon(load, SlotEvent::Hls(HlsEvent::Threw)),
                }
            }
        }
    }

    /// Tells what hls.js reports of one load, and loads with the whole library where the light one
    /// does not do.
    fn reporter(
        self: &Rc<Self>,
        media: &Arc<Media>,
        options: LoadOptions,
        load: u32,
    ) -> Rc<dyn Fn(HlsEvent)> {
        let (current, emit) = (Rc::clone(&self.load), Rc::clone(&self.emit));
        let (weak, reel) = (Rc::downgrade(self), Arc::clone(media));
        Rc::new(move |report: HlsEvent| {
            if current.get() != load {
                return;
            }
            if !report.may_end_it() {
                emit(SlotEvent::Hls(report));
                return;
            }
            let (weak, reel) = (weak.clone(), Arc::clone(&reel));
            // When the library that tells it has finished telling: it may be destroyed then.
            spawn_local(async move {
                let Some(slot) = weak.upgrade().filter(|slot| slot.load.get() == load) else {
                    return;
                };
                if report == HlsEvent::NeedsFull {
                    drop(slot.binding.take());
                    slot.load_playlist(&reel, options, load, true);
                } else {
                    (slot.emit)(SlotEvent::Hls(report));
                }
            });
        })
    }

    /// Takes over the reel that this element plays already, as it is: nothing is loaded, and nothing
    /// stops. What has happened so far is told by [`Slot::catch_up`].
    pub(crate) fn adopt(
        self: &Rc<Self>,
        media: &Arc<Media>,
        options: LoadOptions,
        early: &EarlyPlayback,
    ) {
        let load = self.load.get().wrapping_add(1);
        self.load.set(load);
        self.from_s.set(options.from_s.unwrap_or(0.0));
        *self.media.borrow_mut() = Some(Arc::clone(media));
        // hls.js may have added those of the playlist by now.
        self.tracks.add(&self.video, &media.subtitles);
        self.ready.set(self.video.ready_state() >= HtmlMediaElement::HAVE_CURRENT_DATA);
        self.frames.resume(early.frames());
        if let Some(hls) = early.hls() {
            match Binding::adopt(&hls, early, self.reporter(media, options, load)) {
                Ok(binding) => *self.binding.borrow_mut() = Some(Rc::new(binding)),
                Err(_) => self.emit_soon(load, SlotEvent::Hls(HlsEvent::Threw)),
            }
        }
    }

    /// Tells what has happened to a reel before it was taken over.
    pub(crate) fn catch_up(&self, early: &EarlyPlayback) {
        if let Some(binding) = self.binding() {
            binding.catch_up(early);
        }
        if self.is_ready() {
            self.on_event(&SlotEvent::Ready);
        }
        for n in 1..=self.frames.seen() {
            self.on_event(&SlotEvent::Frame(n));
        }
        if self.video.error().is_some() {
            self.on_event(&SlotEvent::Broken);
        }
    }

    /// Forgets the reel and frees the decoder.
    pub(crate) fn clear(&self) {
        *self.media.borrow_mut() = None;
        self.unbind();
    }

    fn unbind(&self) {
        self.load.set(self.load.get().wrapping_add(1));
        self.run.take();
        self.frames.stop();
        let binding = self.binding.take();
        let had_source = self.video.has_attribute("src");
        drop(binding);
        if had_source {
            let _ = self.video.remove_attribute("src");
            self.video.load();
        }
    }

    /// The hls.js instance, if there is one. Owned by whoever asks: it may be replaced meanwhile.
    pub(crate) fn binding(&self) -> Option<Rc<Binding>> {
        self.binding.borrow().clone()
    }

    /// Loads no more for now; forgets what could not go on. What the browser loads by itself is left
    /// to it.
    pub(crate) fn stop_loading(&self) {
        if self.binding().is_some_and(|binding| !binding.stop()) {
            self.clear();
        }
    }

    /// Leaves the network to the other one: what the browser loads by itself cannot be stopped
    /// otherwise than by forgetting it.
    pub(crate) fn give_way(&self) {
        if self.binding().is_none() {
            self.clear();
        }
        self.stop_loading();
    }

    /// It was left for one that has nothing yet: what the browser still loads here is forgotten.
    pub(crate) fn leave_network(&self) {
        if self.binding().is_none() && self.is_loading() {
            self.clear();
        }
    }

    /// Whether anything is being asked for.
    pub(crate) fn is_loading(&self) -> bool {
        match self.binding() {
            Some(binding) => binding.is_loading(),
            None => self.video.network_state() == HtmlMediaElement::NETWORK_LOADING,
        }
    }

    /// It was given up.
    pub(crate) fn give_up(&self) {
        self.failed.set(true);
        if let Some(binding) = self.binding() {
            binding.stop();
        }
    }

    /// It was given up too early.
    pub(crate) fn take_back(&self) {
        self.failed.set(false);
        if let Some(binding) = self.binding() {
            binding.go_on();
        }
    }

    /// Height of the picture, along its shorter side; 0 while nothing is known.
    pub(crate) fn height(&self) -> u32 {
        self.video.video_height().min(self.video.video_width())
    }

    /// Whether the reel begins again at its end, where its kind may.
    pub(crate) fn loop_as(&self, videos: bool, music: bool) {
        if let Some(media) = self.media() {
            let wished = if media.kind == Kind::Video { videos } else { music };
            self.video.set_loop(wished && !media.live);
        }
    }

    /// Reads its captions, or not.
    pub(crate) fn caption(&self, on: bool) {
        self.tracks.show(&self.video, on);
    }

    /// Asks something of the hls.js instance, if there is one.
    pub(crate) fn with_binding(&self, ask: impl FnOnce(&Binding)) {
        if let Some(binding) = self.binding() {
            ask(&binding);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.listeners.take();
        self.clear();
        self.video.remove();
    }
}
