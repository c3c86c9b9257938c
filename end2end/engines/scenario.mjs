// What must work in every engine: the page opens, plays, moves by key, wheel and swipe, sounds after one press, carries a
// message, waits for a press where playing by itself is refused, and plays after nobody saw it for a while.
// Each step gets a browser in which the page stands open; it throws with what was seen instead.
import { setTimeout as sleep } from "node:timers/promises";

const LONG_MS = 15_000;

/** A window in which the page has its desktop form. */
export const WINDOW = { width: 1280, height: 800 };
const MIDDLE = { x: WINDOW.width / 2, y: WINDOW.height / 2 };
/** What a wheel calls one notch. */
const NOTCH = 120;
/** Longer than a reel is waited for, so that patience which ran on in a hidden tab is seen. */
const UNSEEN_MS = 10_000;
/** A page that only seems to stand still has asked again by then. */
const LOOPS_MS = 1_500;

/** Steps in their order, each on what the one before it left. */
export const STEPS = {
  "opens on the first channel, with a feed and one active article": async (browser) => {
    const { active, setsize, lang } = await browser.run(page);
    const channels = await browser.run(() => fetch("/api/channels").then((answer) => answer.json()));
    expect(active, ["clip_0"], "active articles");
    expect(setsize, String(channels.length), "aria-setsize");
    expect(lang, "en", "language");
  },
  "plays at once, muted, in the only media element": async (browser) => {
    await plays(browser, "clip_0");
    const { media, muted } = await browser.run(state);
    expect([media, muted], [1, true], "media elements and muted");
  },
  "goes on to the third and back to the second by key": async (browser) => {
    await browser.key("ArrowDown");
    await plays(browser, "clip_1");
    await browser.key("ArrowDown");
    await plays(browser, "clip_2");
    await browser.key("ArrowUp");
    await plays(browser, "clip_1");
  },
  "goes one on by a notch of the wheel, and five by five quick ones": async (browser) => {
    await browser.wheel(MIDDLE, NOTCH);
    await plays(browser, "clip_2");
    for (let n = 0; n < 5; n++) await browser.wheel(MIDDLE, NOTCH);
    await plays(browser, "clip_7");
    await browser.wheel(MIDDLE, -NOTCH);
    await plays(browser, "clip_6");
  },
  "follows a drag up, and one down": async (browser) => {
    await browser.drag(MIDDLE, { x: MIDDLE.x, y: MIDDLE.y - 260 });
    await plays(browser, "clip_7");
    await browser.drag(MIDDLE, { x: MIDDLE.x, y: MIDDLE.y + 260 });
    await plays(browser, "clip_6");
  },
  "sounds after one press, and from then on in every reel": async (browser) => {
    await browser.move({ x: MIDDLE.x, y: MIDDLE.y + 20 });
    await browser.press(await place(browser, "button", "Sound"));
    await eventually(() => browser.run(state), ({ sound, muted }) => sound === "true" && muted === false, "sound on");
    await plays(browser, "clip_6");
    for (const channel of ["clip_5", "clip_4", "clip_3"]) {
      await browser.key("ArrowUp");
      await plays(browser, channel);
      const { sound, muted } = await browser.run(state);
      expect([sound, muted], ["true", false], `sound and muted in ${channel}`);
    }
  },
  "carries a message, after asking for a name once": async (browser) => {
    if (!(await browser.run(find, "textbox", "Message"))) await browser.press(await place(browser, "button", "Chat"));
    await say(browser, "from another engine");
    await browser.press(await place(browser, "textbox", "Your name"));
    await browser.type("Ana");
    await browser.key("Enter");
    await told(browser, "from another engine");
    await say(browser, "and once more");
    await told(browser, "and once more");
  },
  "plays on under the chat, and nothing was thrown or blocked": async (browser) => {
    await plays(browser, "clip_3");
    const { complaints, most } = await browser.run(state);
    expect(complaints, [], "complaints");
    expect(most, 1, "most media elements at one animation frame");
  },
};

/** What must work where the browser refuses to play by itself, without sound too; a browser of its own. */
export const REFUSED = {
  "says with a large button that it waits for a press, and asks the browser no more": async (browser) => {
    const { width, height } = await eventually(() => browser.run(largest, "Play"), Boolean, "a button named Play");
    if (Math.min(width, height) < 48) throw new Error(`the button named Play is ${width} by ${height}`);
    const before = await browser.run(asked);
    await sleep(LOOPS_MS);
    const after = await browser.run(asked);
    if (after > before) throw new Error(`play() was called ${after - before} times more while nobody did anything`);
    expect((await browser.run(state)).paused, true, "paused");
  },
  "plays after one press, and goes on by itself": async (browser) => {
    await browser.press(MIDDLE);
    await plays(browser, "clip_0");
    await sleep(LOOPS_MS);
    await plays(browser, "clip_0");
    await browser.key("ArrowDown");
    await plays(browser, "clip_1");
  },
};

/** What must work around a tab that nobody sees; a browser of its own. */
export const HIDDEN = {
  "a reel that is reached while the tab is hidden plays when it is shown": async (browser) => {
    await plays(browser, "clip_0");
    await browser.hide();
    await eventually(() => browser.run(() => document.hidden), Boolean, "a hidden page");
    // As the keys of headphones do: no window has the focus.
    await browser.run(() => {
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", code: "ArrowDown", bubbles: true, cancelable: true }));
    });
    await eventually(() => browser.run(state), ({ active }) => active === "clip_1", "clip_1 active");
    await sleep(UNSEEN_MS);
    await browser.show();
    await eventually(() => browser.run(() => document.hidden), (hidden) => hidden === false, "a visible page");
    await plays(browser, "clip_1");
    expect(await browser.run(alerts), [], "alerts");
  },
};

/** Runs in the page, once it is loaded: watches the picture and collects what goes wrong. */
export function watch() {
  const smoke = (window.smoke = { channel: null, frames: 0, complaints: [], most: 0, asked: 0 });
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function (...args) {
    smoke.asked++;
    return play.apply(this, args);
  };
  addEventListener("error", (event) => smoke.complaints.push(`error: ${event.message}`));
  addEventListener("unhandledrejection", (event) => smoke.complaints.push(`rejected: ${event.reason}`));
  addEventListener("securitypolicyviolation", (event) => smoke.complaints.push(`blocked: ${event.violatedDirective} ${event.blockedURI}`));
  for (const level of ["error", "warn"]) {
    const say = console[level].bind(console);
    console[level] = (...parts) => {
      smoke.complaints.push(`${level}: ${parts.join(" ")}`.slice(0, 300));
      say(...parts);
    };
  }
  let video;
  let handle;
  let last = -1;
  const presented = (_, { mediaTime }) => {
    if (mediaTime !== last) smoke.frames++;
    last = mediaTime;
    handle = video.requestVideoFrameCallback(presented);
  };
  // Within the turn in which it left: Firefox calls nobody any more while an element out of the document is waited for.
  const follow = () => {
    const here = document.querySelector("video, audio");
    const channel = here?.closest("[data-channel]")?.dataset.channel ?? null;
    if (channel !== smoke.channel) [smoke.channel, smoke.frames, last] = [channel, 0, -1];
    if (here === video) return;
    video?.cancelVideoFrameCallback(handle);
    video = here;
    handle = video?.requestVideoFrameCallback(presented);
  };
  new MutationObserver(follow).observe(document, { childList: true, subtree: true });
  follow();
  const look = () => {
    smoke.most = Math.max(smoke.most, document.querySelectorAll("video, audio").length);
    requestAnimationFrame(look);
  };
  look();
}

/** Runs in the page: what assistive technology is told. */
function page() {
  const active = [...document.querySelectorAll("[role=feed] article[aria-current=true]")];
  return {
    active: active.map((article) => article.dataset.channel),
    setsize: active[0]?.getAttribute("aria-setsize"),
    lang: document.documentElement.lang,
  };
}

/** Runs in the page: what the active reel does. */
function state() {
  const all = document.querySelectorAll("video, audio");
  const active = document.querySelector("[role=feed] article[aria-current=true]");
  const media = active?.querySelector("video, audio");
  const sound = [...document.querySelectorAll("button[aria-pressed]")].find(
    (button) => (button.getAttribute("aria-label") ?? button.textContent).trim() === "Sound",
  );
  return {
    active: active?.dataset.channel,
    media: all.length,
    inside: Boolean(media),
    muted: media?.muted,
    paused: media?.paused,
    time: media?.currentTime,
    ready: media?.readyState,
    seeking: media?.seeking,
    buffered: media?.buffered.length ? [media.buffered.start(0), media.buffered.end(0)] : [],
    failure: media?.error?.message,
    frames: window.smoke.frames,
    most: window.smoke.most,
    complaints: window.smoke.complaints,
    sound: sound?.getAttribute("aria-pressed"),
  };
}

/** Runs in the page: how often it asked the browser to play. */
function asked() {
  return window.smoke.asked;
}

/** Runs in the page: the sentences of what failed in the active reel, if somebody can see them. */
function alerts() {
  const shown = document.querySelectorAll("[role=feed] article[aria-current=true] [role=alert]");
  return [...shown].filter((alert) => alert.checkVisibility?.({ visibilityProperty: true }) ?? true).map((alert) => alert.textContent.trim()).filter(Boolean);
}

/** Runs in the page: the size of the first button of exactly this name, if it is seen. */
function largest(name) {
  for (const button of document.querySelectorAll("button")) {
    if ((button.getAttribute("aria-label") ?? button.textContent).trim() !== name) continue;
    const { width, height } = button.getBoundingClientRect();
    return width && height && getComputedStyle(button).visibility === "visible" ? { width, height } : null;
  }
  return null;
}

/** Runs in the page: the middle of the control of this role whose name begins so, if it can be pressed there. */
function find(role, name) {
  const kinds = { button: "button", textbox: "input, textarea" };
  const named = (element) => {
    const labels = [...(element.labels ?? [])].map((label) => label.textContent);
    return (element.getAttribute("aria-label") ?? labels[0] ?? element.textContent).trim().startsWith(name);
  };
  for (const element of document.querySelectorAll(kinds[role])) {
    const { left, top, width, height } = element.getBoundingClientRect();
    const [x, y] = [left + width / 2, top + height / 2];
    if (width > 0 && named(element) && element.contains(document.elementFromPoint(x, y))) return { x, y };
  }
  return null;
}

/** Waits for a control, and says where it is. */
const place = (browser, role, name) => eventually(() => browser.run(find, role, name), Boolean, `a ${role} named ${name}`);

async function say(browser, text) {
  await browser.press(await place(browser, "textbox", "Message"));
  await browser.type(text);
  await browser.key("Enter");
}

const told = (browser, text) =>
  eventually(
    () => browser.run(() => document.querySelector("[role=log]")?.textContent),
    (log) => log?.includes(text),
    `'${text}' in the log`,
  );

/** Waits until this channel is active and its picture moves: the clock goes on and different frames are presented. */
async function plays(browser, channel) {
  const arrived = (seen) => seen.active === channel && seen.inside && !seen.paused && seen.frames >= 2;
  const { time, frames } = await eventually(() => browser.run(state), arrived, `${channel} plays`);
  const on = (seen) => arrived(seen) && seen.frames >= frames + 3 && seen.time !== time;
  await eventually(() => browser.run(state), on, `${channel} plays on`);
}

async function eventually(ask, fine, what) {
  let seen;
  for (const until = Date.now() + LONG_MS; Date.now() < until; await sleep(50)) {
    seen = await ask();
    if (fine(seen)) return seen;
  }
  throw new Error(`${what}: not within ${LONG_MS / 1000} s, but ${JSON.stringify(seen)}`);
}

function expect(seen, wanted, what) {
  if (JSON.stringify(seen) !== JSON.stringify(wanted)) {
    throw new Error(`${what}: ${JSON.stringify(seen)} instead of ${JSON.stringify(wanted)}`);
  }
}
