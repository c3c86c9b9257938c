// What is on the screen. `probe` runs in every page before its own scripts and watches each animation frame; the rest asks it.
import { expect, type Locator, type Page } from "@playwright/test";

/** The corner that streams.sh gave each channel. */
const CORNERS: Record<string, [number, number, number]> = Object.fromEntries(
  [
    [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [255, 0, 255], [0, 255, 255],
    [255, 255, 255], [255, 165, 0], [128, 0, 255], [128, 128, 128], [0, 128, 0],
  ].map((rgb, n) => [`clip_${n}`, rgb]),
) as Record<string, [number, number, number]>;

/** A wait that a busy machine does not break. */
export const LONG_MS = 12_000;

export type Probe = {
  /** Most media elements seen in the document at one animation frame. */
  most: number;
  /** The channel whose picture moves: two different frames of it were presented, its corner has its colour. */
  moves: string | null;
  /** Media time of the frame presented last, and how many different ones there were in this reel. */
  frames: number;
  /** The longest time between two presented frames since `gap` was last set to 0. */
  gap: number;
  corner: number[];
};

declare global {
  interface Window {
    probe: Probe;
  }
}

/** Runs in the page. */
export function probe(corners: Record<string, number[]>): void {
  const found: Probe = (window.probe = { most: 0, moves: null, frames: 0, gap: 0, corner: [] });
  // A violation is an error of the page like any other.
  addEventListener("securitypolicyviolation", (e) => console.error(`blocked by policy: ${e.violatedDirective} ${e.blockedURI}`));
  const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", {
    willReadFrequently: true,
  });
  let seen: HTMLVideoElement | undefined, of: string | undefined, time = -1, at = 0;
  const watched = new WeakSet<HTMLVideoElement>();
  const watch = (video: HTMLVideoElement) => {
    watched.add(video);
    const presented = (now: number, frame: VideoFrameCallbackMetadata) => {
      if (video === seen && frame.mediaTime !== time) {
        if (found.frames > 0) found.gap = Math.max(found.gap, now - at);
        at = now;
        time = frame.mediaTime;
        found.frames++;
      }
      video.requestVideoFrameCallback(presented);
    };
    video.requestVideoFrameCallback(presented);
  };
  const isItsOwn = (video: HTMLVideoElement, channel: string) => {
    pen?.drawImage(video, 0, 0, video.videoWidth / 16, video.videoWidth / 16, 0, 0, 1, 1);
    found.corner = Array.from(pen?.getImageData(0, 0, 1, 1).data ?? []).slice(0, 3);
    return corners[channel]?.every((c, n) => Math.abs(c - (found.corner[n] ?? 0)) < 60) ?? true;
  };
  const tick = () => {
    const media = document.querySelectorAll<HTMLVideoElement>("video, audio");
    found.most = Math.max(found.most, media.length);
    const video = media[0];
    const channel = video?.closest<HTMLElement>("[data-channel]")?.dataset.channel;
    if (video !== seen || channel !== of) {
      [seen, of, time] = [video, channel, -1];
      [found.frames, found.moves] = [0, null];
      if (video && !watched.has(video)) watch(video);
    }
    if (video && channel && !found.moves && found.frames >= 2 && !video.paused) {
      const box = video.getBoundingClientRect(), middle = box.top + box.height / 2;
      if (box.width > 0 && middle > 0 && middle < innerHeight && isItsOwn(video, channel)) found.moves = channel;
    }
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

export const PROBE = [probe, CORNERS] as const;

/** The article on screen. */
export function active(page: Page): Locator {
  return page.getByRole("feed").locator("article[aria-current=true]");
}

/** Waits until this channel is the active one, its own picture moves, in the only media element, and the page is hydrated: keys,
 * fingers and links are the page's own. */
export async function plays(page: Page, channel: string): Promise<void> {
  await expect
    .poll(() => page.evaluate(state), { timeout: LONG_MS, intervals: [20, 50, 100], message: `${channel} plays` })
    .toEqual({ active: [channel], inside: [channel], moves: channel, paused: false, hydrated: true });
}

/** The same before the page is hydrated, or without that. */
export async function moves(page: Page, channel: string): Promise<void> {
  await expect
    .poll(() => page.evaluate(state), { timeout: LONG_MS, intervals: [20, 50, 100], message: `${channel} moves` })
    .toMatchObject({ active: [channel], inside: [channel], moves: channel, paused: false });
}

function state() {
  const name = (element: Element | null) => element?.closest<HTMLElement>("[data-channel]")?.dataset.channel;
  const media = [...document.querySelectorAll<HTMLMediaElement>("video, audio")];
  return {
    active: [...document.querySelectorAll("[role=feed] [aria-current=true]")].map(name),
    inside: media.map(name),
    moves: window.probe.moves,
    paused: media[0]?.paused,
    hydrated: document.querySelector("[role=feed][data-hydrated]") !== null,
  };
}

/** Waits until the strip stands still with the active article in the middle of the feed. */
export async function rests(page: Page): Promise<void> {
  await expect
    .poll(
      () =>
        page.evaluate(() => {
          const article = document.querySelector("[role=feed] [aria-current=true]");
          const middle = (element?: Element | null) => {
            const box = element?.getBoundingClientRect();
            return box ? box.top + box.height / 2 : NaN;
          };
          const slides = document.getAnimations().some((a) => (a.effect as KeyframeEffect)?.target?.classList.contains("strip"));
          return !slides && Math.abs(middle(article) - middle(document.querySelector("[role=feed]"))) < 3;
        }),
      { timeout: LONG_MS, intervals: [20, 50], message: "the strip rests" },
    )
    .toBe(true);
}

/** Watches that for `ms` nothing happens: `ask` answers `wanted` throughout, or it fails at once. `why` names what would have
 * happened by then. The only place where a test waits for a time and not for a thing. */
export async function nothingFor<T>(ms: number, why: string, ask: () => T | Promise<T>, wanted: T): Promise<void> {
  const until = performance.now() + ms;
  for (let last = false; !last; ) {
    last = performance.now() >= until;
    expect<unknown>(await ask(), why).toEqual(wanted);
    if (!last) await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

/** Says that one is not moved: this reel is active and at rest, active for all of a while, and at rest after it. Between that the
 * hint of a first visit may lift the strip. */
export async function stays(page: Page, channel: string, ms = 500): Promise<void> {
  const until = performance.now() + ms;
  await expect(active(page)).toHaveAttribute("data-channel", channel);
  await rests(page);
  const left = Math.max(200, until - performance.now());
  await nothingFor(left, `${channel} stays`, () => active(page).getAttribute("data-channel"), channel);
  await rests(page);
}

/** Says that this reel plays, and that nothing pauses or changes it: not a tap that waited for a second one either. */
export async function playsOn(page: Page, channel: string, ms = 600): Promise<void> {
  await plays(page, channel);
  const seen = async () => {
    const { active, paused } = await page.evaluate(state);
    return { active, paused };
  };
  await nothingFor(ms, `${channel} plays on`, seen, { active: [channel], paused: false });
}

/** Waits until the page has drawn what it has heard of: the frame after the next one has begun. */
export function drawn(page: Page): Promise<void> {
  return page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))));
}

/** Waits until nothing of this part is on its way: the transitions in it and around it have ended. What a script moves, as the strip,
 * and the progress, which never rests, are not meant. */
export async function settles(page: Page, selector: string): Promise<void> {
  const moving = () =>
    page.evaluate((selector) => {
      const parts = [...document.querySelectorAll(selector)];
      return document.getAnimations().flatMap((animation) => {
        const { target } = animation.effect as KeyframeEffect;
        const moves = animation instanceof CSSTransition && animation.playState === "running";
        if (!target || !moves || target.matches(".played") || !parts.some((part) => part.contains(target) || target.contains(part))) return [];
        return [target.className];
      });
    }, selector);
  await drawn(page);
  await expect.poll(moving, { intervals: [20, 50], message: `${selector} stands still` }).toEqual([]);
}

/** What the one media element does. */
export function media<T>(page: Page, ask: (video: HTMLVideoElement) => T): Promise<T> {
  return page.locator("video, audio").evaluate(ask as (element: Element) => T) as Promise<T>;
}

/** From now on, how far the one media element plays: the answer tells the second that it came to, also after it is another reel's. */
export async function watched(page: Page): Promise<() => Promise<number>> {
  const seen = await page.evaluateHandle(() => {
    const seen = { to: 0 };
    const video = document.querySelector("video")!;
    video.addEventListener("timeupdate", () => {
      seen.to = Math.max(seen.to, video.currentTime);
    });
    return seen;
  });
  return () => seen.evaluate(({ to }) => to);
}

/** Middle brightness, 0 to 255, of the part of a screenshot that lies around its centre. */
export async function brightness(page: Page): Promise<number> {
  const shot = (await page.screenshot({ scale: "css" })).toString("base64");
  return page.evaluate(async (data) => {
    const picture = new Image();
    picture.src = `data:image/png;base64,${data}`;
    await picture.decode();
    const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d")!;
    const { width: w, height: h } = picture;
    pen.imageSmoothingQuality = "high";
    pen.drawImage(picture, w / 3, h / 3, w / 3, h / 3, 0, 0, 1, 1);
    return Math.max(...pen.getImageData(0, 0, 1, 1).data.slice(0, 3));
  }, shot);
}
