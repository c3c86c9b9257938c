// Plays the first reel while the page's WASM is still on its way: muted, in the article that the server wrote, by what the page
// says of it in #early-request. app/src/player/early.rs writes that, and takes the element and hls.js over as they are. What goes wrong
// here is left for the page to say.
const told = document.getElementById("early-request");
// The page has taken it away where it came first, and plays by itself.
if (told) begin(JSON.parse(told.textContent));

function begin({ id, source, mime, library, full, config, bandwidth, resume, stylesheet }) {
  const video = document.createElement("video");
  let settle;
  const settled = new Promise((resolve) => (settle = resolve));
  /** What is handed over; gone once it was taken. */
  const early = (globalThis.early = { video, full, bound: false, frames: 0, moved: 0 });
  /** Waits until the reel moves, or will not, and 0.4 s at most. */
  early.settled = () => Promise.race([settled, new Promise((resolve) => setTimeout(resolve, 400))]);

  const recall = (store, key) => {
    try {
      return globalThis[store].getItem(key);
    } catch {
      // This browser remembers nothing.
    }
  };
  const [, left] = (resume && recall("localStorage", resume.key)?.split("\n").find((line) => line.startsWith(`${id}\t`)))?.split("\t") ?? [];
  const from = left < resume?.before ? Number(left) : undefined;

  const place = () => {
    const picture = document.querySelector("article[aria-current] .picture");
    if (globalThis.early === early) picture?.append(video);
    return picture;
  };
  const giveUp = () => {
    try {
      early.hls?.destroy();
    } catch {
      // It loses its element all the same.
    }
    video.remove();
    if (globalThis.early === early) delete globalThis.early;
    settle();
  };
  const presented = (now, { mediaTime }) => {
    if (video.isConnected && mediaTime !== early.time) {
      early.time = mediaTime;
      early.moved = performance.now();
      early.frames++;
    }
    if (early.frames < 2) video.requestVideoFrameCallback(presented);
    else settle();
  };
  const bound = () => {
    early.bound = true;
    video.requestVideoFrameCallback?.(presented);
  };
  const play = async () => {
    try {
      await video.play();
    } catch {
      settle();
    }
  };
  const playFile = () => {
    if (!video.canPlayType(mime)) return giveUp();
    bound();
    video.src = source;
    if (from) video.currentTime = from;
    // At once: some browsers load a file only when it is asked to play.
    play();
  };

  video.muted = true;
  video.playsInline = true;
  video.preload = "auto";
  video.onerror = settle;
  // Music presents no frame, and some browsers do not tell.
  video.onplaying = () => (video.videoWidth && video.requestVideoFrameCallback) || settle();
  if (!place()) addEventListener("DOMContentLoaded", place);

  if (library) {
    // Asked for now, the worker is there when the library asks for it.
    fetch(config.workerPath).catch(() => {});
    import(library)
      .then(({ default: Hls }) => {
        // The page came first, and plays by itself.
        if (globalThis.early !== early) return;
        if (!Hls.isSupported()) return playFile();
        const estimate = Number(recall("sessionStorage", bandwidth)) || config.abrEwmaDefaultEstimate;
        const hls = (early.hls = new Hls({ ...config, abrEwmaDefaultEstimate: estimate, startPosition: from ?? -1 }));
        early.heard = (name, data) => {
          if (!early.error?.fatal) early.error = data;
          if (data.fatal) settle();
        };
        hls.on("hlsError", early.heard);
        hls.attachMedia(video);
        hls.loadSource(source);
        bound();
        // Asked before anything is there, the element would say that it waits. A page that has taken it asks by itself.
        video.addEventListener("canplay", () => globalThis.early === early && play(), { once: true });
      })
      .catch(giveUp);
  } else {
    playFile();
  }

  // Who comes again gets a page without the style in it, once the file is kept.
  if (stylesheet) {
    const keep = async () => {
      const answer = await fetch(stylesheet.href, { priority: "low" });
      await answer.text();
      if (answer.ok) document.cookie = `style=${stylesheet.version}; path=/; max-age=31536000; samesite=lax`;
    };
    settled.then(() => setTimeout(() => keep().catch(() => {}), stylesheet.after_ms));
  }
}
