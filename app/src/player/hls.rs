//! hls.js: loaded at first need, bound to one media element, destroyed with its binding.

mod settings;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::{Array, Function, Object, Promise, Reflect};
use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlMediaElement;

use self::settings::config;
pub(crate) use self::settings::{
    AHEAD_FIRST_S, AHEAD_S, AHEAD_SLOW_S, AHEAD_SPARE_S, ESTIMATE_KEY, LoadOptions, WORKER,
    address, settings,
};
use super::early::EarlyPlayback;
use crate::dom::{get, set, swallow};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = import)]
    fn dynamic_import(url: &str) -> Promise;

    /// An instance of hls.js.
    #[derive(Clone, Debug)]
    pub(crate) type Hls;

    // Each may throw: the library as it likes, and the browser below it.
    #[wasm_bindgen(method, catch, js_name = loadSource)]
    fn load_source(this: &Hls, url: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = attachMedia)]
    fn attach_media(this: &Hls, media: &HtmlMediaElement) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn on(this: &Hls, event: &str, handler: &Function) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn off(this: &Hls, event: &str, handler: &Function) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn trigger(this: &Hls, event: &str, data: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = startLoad)]
    fn start_load(this: &Hls, position_s: f64) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = stopLoad)]
    fn stop_load(this: &Hls) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = recoverMediaError)]
    fn recover_media_error(this: &Hls) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn destroy(this: &Hls) -> Result<(), JsValue>;
}

/// The class that an import brought.
#[derive(Clone, Debug)]
pub(crate) struct Library(Function);

thread_local! {
    static LIGHT_LIBRARY: RefCell<Option<Library>> = const { RefCell::new(None) };
    static FULL_LIBRARY: RefCell<Option<Library>> = const { RefCell::new(None) };
    static UNSUPPORTED: Cell<bool> = const { Cell::new(false) };
    /// How often the library was asked for in vain.
    static IN_VAIN: Cell<u32> = const { Cell::new(0) };
    /// How many imports have neither brought it nor failed.
    static UNDER_WAY: Cell<u32> = const { Cell::new(0) };
}

/// How this browser plays HLS.
#[derive(Clone, Debug)]
pub(crate) enum Engine {
    /// By hls.js over Media Source Extensions.
    Library(Library),
    /// By itself: iPhones without ManagedMediaSource.
    Native,
    /// Not at all.
    None,
}

/// The library, if it is there already. Answers in the same turn, for the hand-over.
pub(crate) fn loaded(full: bool) -> Option<Engine> {
    if UNSUPPORTED.get() {
        return Some(native());
    }
    let cell = if full { &FULL_LIBRARY } else { &LIGHT_LIBRARY };
    cell.with_borrow(Clone::clone).map(Engine::Library)
}

/// A build of the library that does not come is asked for once more. Browsers keep an import that
/// never ends at its address: the next one goes to another.
pub(crate) fn ask_again() {
    if UNDER_WAY.get() > 0 {
        IN_VAIN.set(IN_VAIN.get() + 1);
    }
}

/// The module at this path: at once from another address where it fails, because browsers keep that
/// too.
async fn import(path: &str) -> Result<JsValue, JsValue> {
    let first = IN_VAIN.get();
    loop {
        let tries = IN_VAIN.get();
        let address = if tries > 0 { format!("{path}?again={tries}") } else { path.to_owned() };
        UNDER_WAY.set(UNDER_WAY.get() + 1);
        let module = JsFuture::from(dynamic_import(&address)).await;
        UNDER_WAY.set(UNDER_WAY.get() - 1);
        if module.is_err() {
            IN_VAIN.set(tries + 1);
        }
        if module.is_ok() || tries > first {
            return module;
        }
    }
}

/// The library, fetched where it is not there yet.
pub(crate) async fn load(full: bool) -> Result<Engine, JsValue> {
    if let Some(engine) = loaded(full) {
        return Ok(engine);
    }
    // Asked for now, it is there when the library asks for it.
    swallow(window().fetch_with_str(WORKER).into());
    let path = address(full);
    let module = import(path).await?;
    let class: Function = get(&module, "default").dyn_into()?;
    let is_supported: Function = get(&class, "isSupported").dyn_into()?;
    if is_supported.call0(&class)?.is_falsy() {
        UNSUPPORTED.set(true);
        return Ok(native());
    }
    let library = Library(class);
    let cell = if full { &FULL_LIBRARY } else { &LIGHT_LIBRARY };
    cell.set(Some(library.clone()));
    Ok(Engine::Library(library))
}

fn number(object: &JsValue, name: &str) -> u32 {
    get(object, name).as_f64().unwrap_or(0.0) as u32
}

/// The height of a quality, along its shorter side: a portrait picture of 720x1280 has 720.
fn lines(level: &JsValue) -> u32 {
    let (width, height) = (number(level, "width"), number(level, "height"));
    if width > 0 { width.min(height) } else { height }
}

/// Whether the first quality has sound or subtitles in playlists of their own.
fn has_separate_tracks(of: &JsValue) -> bool {
    let level = Reflect::get_u32(&get(of, "levels"), 0).unwrap_or_default();
    let attributes = get(&level, "attrs");
    ["AUDIO", "SUBTITLES"].iter().any(|group| get(&attributes, group).is_truthy())
}

/// What an error of the library means for the reel; nothing where the library mends it itself.
fn failure(data: &JsValue) -> Option<HlsEvent> {
    let status = get(&get(data, "response"), "code").as_f64().unwrap_or(0.0);
    let details = get(data, "details").as_string();
    if details.as_deref() == Some("fragLoadError") && (status == 404.0 || status == 410.0) {
        return Some(HlsEvent::Gone);
    }
    // An exception within the library: what it was doing is not done.
    if details.as_deref() == Some("internalException") {
        return Some(HlsEvent::Threw);
    }
    let network = || get(data, "type").as_string().as_deref() == Some("networkError");
    get(data, "fatal").is_truthy().then(|| HlsEvent::Fatal { network: network() })
}

fn native() -> Engine {
    let plays = document()
        .create_element("video")
        .ok()
        .and_then(|element| element.dyn_into::<HtmlMediaElement>().ok())
        .is_some_and(|video| !video.can_play_type("application/vnd.apple.mpegurl").is_empty());
    if plays { Engine::Native } else { Engine::None }
}

/// What hls.js tells of one binding.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum HlsEvent {
    /// The first media of a reel is in the buffer, or more of it.
    Buffered,
    /// A segment has come.
    Segment,
    /// A live playlist has new segments.
    Grew,
    /// A live playlist counts from an earlier number: its encoder has started anew.
    Restarted,
    /// A method of the library has thrown.
    Threw,
    /// The qualities are known.
    Parsed,
    /// The playlist has sound or subtitles of its own, which this build of the library does not know.
    NeedsFull,
    /// Another quality is shown, of this height.
    Level(u32),
    /// A segment is gone: its playlist has another version. hls.js would ask for it again.
    Gone,
    /// Something is over.
    Fatal {
        /// Network, as against the media itself.
        network: bool,
    },
}

impl HlsEvent {
    /// Whether what follows may be that the instance is destroyed, which tells it.
    pub(crate) fn may_end_it(&self) -> bool {
        !matches!(self, Self::Buffered | Self::Parsed | Self::Segment | Self::Level(_))
    }
}

/// Takes an event's name and what it tells.
type Handler = Closure<dyn FnMut(JsValue, JsValue)>;

/// One hls.js instance on one element. Dropping it destroys the instance and frees the decoder.
pub(crate) struct Binding {
    hls: Hls,
    /// The master playlist is known: what was stopped can go on.
    parsed: Rc<Cell<bool>>,
    stopped: Cell<bool>,
    handlers: Vec<(&'static str, Handler)>,
    report: Rc<dyn Fn(HlsEvent)>,
}

impl Binding {
    /// Makes an instance, attaches it and begins to load.
    ///
    /// # Errors
    /// What the library throws.
    pub(crate) fn new(
        library: &Library,
        media: &HtmlMediaElement,
        url: &str,
        options: LoadOptions,
        report: Rc<dyn Fn(HlsEvent)>,
    ) -> Result<Self, JsValue> {
        let hls: Hls =
            Reflect::construct(&library.0, &Array::of1(&config(options)))?.unchecked_into();
        let light =
            LIGHT_LIBRARY.with_borrow(|light| light.as_ref().is_some_and(|l| l.0 == library.0));
        let binding = Self::hearing(hls, light, report)?;
        binding.hls.attach_media(media)?;
        binding.hls.load_source(url)?;
        Ok(binding)
    }

    /// Takes over an instance that plays already, by what `early` has bound. What it has told so far is
    /// told by [`Binding::catch_up`].
    ///
    /// # Errors
    /// What the library throws.
    pub(crate) fn adopt(
        hls: &Hls,
        early: &EarlyPlayback,
        report: Rc<dyn Fn(HlsEvent)>,
    ) -> Result<Self, JsValue> {
        let full = early.full();
        if let Ok(class) = get(hls, "constructor").dyn_into::<Function>() {
            let cell = if full { &FULL_LIBRARY } else { &LIGHT_LIBRARY };
            cell.set(Some(Library(class)));
        }
        let off = hls.off("hlsError", &early.heard());
        let binding = off.and_then(|()| Self::hearing(hls.clone(), !full, report));
        if let Ok(binding) = &binding {
            binding.parsed.set(number(&get(hls, "levels"), "length") > 0);
        } else {
            // One that cannot be destroyed loses its element.
            let _ = hls.destroy();
        }
        binding
    }

    /// Tells what an instance that was taken over has told before.
    pub(crate) fn catch_up(&self, early: &EarlyPlayback) {
        if self.parsed.get() {
            let known = early.full() || !has_separate_tracks(&self.hls);
            (self.report)(if known { HlsEvent::Parsed } else { HlsEvent::NeedsFull });
        }
        if let Some(report) = failure(&early.error()) {
            (self.report)(report);
        }
    }

    fn hearing(hls: Hls, light: bool, report: Rc<dyn Fn(HlsEvent)>) -> Result<Self, JsValue> {
        let mut binding = Self {
            hls,
            parsed: Rc::default(),
            stopped: Cell::new(false),
            handlers: Vec::new(),
            report,
        };
        binding.listen(light)?;
        Ok(binding)
    }

    /// Hears what the instance tells; `light`: it is of the build that knows no sound or subtitles
    /// in playlists of their own.
    fn listen(&mut self, light: bool) -> Result<(), JsValue> {
        let report = Rc::clone(&self.report);
        // Also between the parts of a segment that still comes in.
        self.on("hlsBufferAppended", move |_| report(HlsEvent::Buffered))?;
        let (report, parsed) = (Rc::clone(&self.report), Rc::clone(&self.parsed));
        self.on("hlsManifestParsed", move |data| {
            parsed.set(true);
            let unknown = light && has_separate_tracks(&data);
            report(if unknown { HlsEvent::NeedsFull } else { HlsEvent::Parsed });
        })?;
        let report = Rc::clone(&self.report);
        self.on("hlsFragLoaded", move |_| report(HlsEvent::Segment))?;
        let report = Rc::clone(&self.report);
        // The quality whose playlist came last, and the number of its last segment.
        let last = Cell::new((0, 0));
        self.on("hlsLevelLoaded", move |data| {
            let details = get(&data, "details");
            let now = (number(&data, "level"), number(&details, "endSN"));
            let (level, end) = last.replace(now);
            if get(&details, "live").is_falsy() || level != now.0 {
                return;
            }
            // A cache on the way may answer with the playlist of a moment ago.
            if now.1 + 1 < end {
                report(HlsEvent::Restarted);
            } else if now.1 > end {
                report(HlsEvent::Grew);
            }
        })?;
        let report = Rc::clone(&self.report);
        self.on("hlsError", move |data| {
            if let Some(failure) = failure(&data) {
                report(failure);
            }
        })?;
        let (report, levels) = (Rc::clone(&self.report), self.hls.clone());
        self.on("hlsLevelSwitched", move |data| {
            let n = get(&data, "level").as_f64().unwrap_or(0.0) as u32;
            let level = Reflect::get_u32(&get(&levels, "levels"), n).unwrap_or_default();
            report(HlsEvent::Level(lines(&level)));
        })
    }

    fn on(
        &mut self,
        event: &'static str,
        handler: impl Fn(JsValue) + 'static,
    ) -> Result<(), JsValue> {
        self.on_boxed(event, Box::new(handler))
    }

    // One kind of handler for all: each kind is code of its own.
    #[inline(never)]
    fn on_boxed(
        &mut self,
        event: &'static str,
        handler: Box<dyn Fn(JsValue)>,
    ) -> Result<(), JsValue> {
        let closure = Handler::new(move |_, data| handler(data));
        self.hls.on(event, closure.as_ref().unchecked_ref())?;
        self.handlers.push((event, closure));
        Ok(())
    }

    /// Tells that a method has thrown; whoever hears it acts when the caller has finished.
    fn check<T>(&self, result: Result<T, JsValue>) {
        if result.is_err() {
            (self.report)(HlsEvent::Threw);
        }
    }

    /// Changes how many seconds ahead are kept.
    pub(crate) fn hold_ahead(&self, seconds: f64) {
        set(&get(&self.hls, "config"), "maxBufferLength", seconds);
    }

    /// Loads no more for now. `false` where it cannot go on later: a stopped master playlist is
    /// never asked for again.
    pub(crate) fn stop(&self) -> bool {
        self.stopped.set(true);
        self.hls.stop_load().is_ok() && self.parsed.get()
    }

    /// Whether it asks for what it lacks.
    pub(crate) fn is_loading(&self) -> bool {
        !self.stopped.get()
    }

    /// Loads again, where it stopped. One that loads is left alone: it would begin its segment anew.
    pub(crate) fn go_on(&self) {
        if self.stopped.replace(false) {
            self.check(self.hls.start_load(-1.0));
        }
    }

    /// Whether it has nothing to ask for: neither a playlist nor a segment is under way.
    pub(crate) fn is_idle(&self) -> bool {
        let state = get(&get(&get(&self.hls, "inFlightFragments"), "main"), "state").as_string();
        matches!(state.as_deref(), Some("IDLE" | "ENDED"))
    }

    /// Says to the element that no more comes: where one track ends before the other, the browser
    /// would wait for the shorter one for ever.
    pub(crate) fn end_buffer(&self) {
        self.check(self.hls.trigger("hlsBufferEos", &Object::new()));
    }

    /// The qualities: height, and bits a second; as the playlist has them.
    pub(crate) fn levels(&self) -> Vec<(u32, u32)> {
        let levels = get(&self.hls, "levels");
        (0..number(&levels, "length"))
            .filter_map(|n| Reflect::get_u32(&levels, n).ok())
            .map(|level| (lines(&level), number(&level, "bitrate")))
            .collect()
    }

    /// Takes the best quality of at most this height, at once or from the next segment on; `None`
    /// leaves it to the network.
    pub(crate) fn choose(&self, lines: Option<u32>, at_once: bool) {
        let levels = self.levels();
        let fits = |&(_, &(height, _)): &(usize, &(u32, u32))| lines.is_some_and(|l| height <= l);
        let best = levels.iter().enumerate().filter(fits).max_by_key(|(_, (height, _))| *height);
        let level = match (best, lines) {
            (Some((n, _)), _) => n as f64,
            (None, Some(_)) => 0.0,
            (None, None) => -1.0,
        };
        set(&self.hls, if at_once { "nextLevel" } else { "loadLevel" }, level);
    }

    /// Tries to get the decoder going again at this second. hls.js has stopped loading by then.
    pub(crate) fn recover(&self, at_s: f64) {
        self.stopped.set(false);
        self.check(self.hls.recover_media_error().and_then(|()| self.hls.start_load(at_s)));
    }

    /// What the network is thought to carry, in bits a second.
    pub(crate) fn estimate(&self) -> f64 {
        get(&self.hls, "bandwidthEstimate").as_f64().unwrap_or(0.0)
    }

    /// Keeps the measured bandwidth for the next reel and the next page.
    pub(crate) fn keep_estimate(&self) {
        if let Some(estimate) = get(&self.hls, "bandwidthEstimate").as_f64()
            && estimate.is_finite()
            && let Ok(Some(storage)) = window().session_storage()
        {
            let _ = storage.set_item(ESTIMATE_KEY, &(estimate as u32).to_string());
        }
    }
}

impl Drop for Binding {
    fn drop(&mut self) {
        self.keep_estimate();
        // First off, then destroy: nothing may call a closure that is going away.
        for (event, closure) in self.handlers.drain(..) {
            if self.hls.off(event, closure.as_ref().unchecked_ref()).is_err() {
                // The library still has it: it goes with the instance.
                drop(closure.into_js_value());
            }
        }
        // One that cannot be destroyed loses its element to the next.
        let _ = self.hls.destroy();
    }
}
