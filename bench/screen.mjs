// What a person does and sees, the same for every page that is measured: a flick, and whether the right picture moves.
// A picture counts when two different frames of the right channel were presented in the middle of the screen; the right one
// is known by the colour of its corner, which streams.sh gave it.
import { setTimeout as sleep } from "node:timers/promises";

/** Runs in the page: notes when the moving picture of another channel is on the screen. */
export function observe() {
  const COLOURS = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [255, 0, 255], [0, 255, 255]];
  const NEAR = 60;
  const seen = (window.bench = { channel: null, at: 0, first: 0, lift: 0, most: 0, stalls: 0 });
  const corner = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const counts = new WeakMap();
  const channelOf = (video) => video.closest("[data-channel]")?.dataset.channel ?? null;
  addEventListener("touchend", () => (seen.lift = performance.now()), { capture: true, passive: true });
  // Waiting for the first picture is told by the times; a stall is a picture that moved and stopped.
  const waits = ({ target }) => {
    if (channelOf(target) === seen.channel && counts.get(target)?.frames >= 2) seen.stalls++;
  };
  document.addEventListener("waiting", waits, true);

  const isOf = (video, channel) => {
    const side = video.videoWidth / 16;
    corner.drawImage(video, side / 4, side / 4, side, side, 0, 0, 1, 1);
    const pixel = corner.getImageData(0, 0, 1, 1).data;
    const colour = COLOURS[Number(/\d+$/.exec(channel)) % COLOURS.length];
    return colour.every((value, i) => Math.abs(value - pixel[i]) < NEAR);
  };
  const inTheMiddle = (video) => {
    const { top, bottom } = video.getBoundingClientRect();
    const middle = (top + bottom) / 2;
    return middle > 0 && middle < innerHeight;
  };
  const presented = (video, { mediaTime }) => {
    const count = counts.get(video);
    const channel = channelOf(video);
    if (channel !== count.channel) Object.assign(count, { channel, frames: 0, last: -1 });
    if (mediaTime !== count.last) count.frames++;
    count.last = mediaTime;
    const arrived = channel && channel !== seen.channel && count.frames >= 2;
    if (arrived && inTheMiddle(video) && isOf(video, channel)) {
      seen.channel = channel;
      seen.at = performance.now();
      seen.first ||= seen.at;
    }
  };
  const follow = (video) => {
    counts.set(video, { channel: null, frames: 0, last: -1 });
    const frame = (_, data) => {
      presented(video, data);
      video.requestVideoFrameCallback(frame);
    };
    video.requestVideoFrameCallback(frame);
  };
  const look = () => {
    const videos = document.querySelectorAll("video");
    seen.most = Math.max(seen.most, videos.length);
    for (const video of videos) if (!counts.has(video)) follow(video);
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

/** A flick of 340 px in 110 ms; up goes on, down goes back. A finger does not wait for the page, so no move waits for an answer. */
export async function swipe(devtools, on) {
  const sent = [];
  const touch = (type, touchPoints) => sent.push(devtools.send("Input.dispatchTouchEvent", { type, touchPoints }));
  const [from, step] = on ? [600, -34] : [240, 34];
  touch("touchStart", [{ x: 195, y: from }]);
  for (let i = 1; i <= 10; i++) {
    await sleep(11);
    touch("touchMove", [{ x: 195, y: from + i * step }]);
  }
  touch("touchEnd", []);
  await Promise.all(sent);
}

/** What the page holds after a collection: heap in bytes, nodes, listeners. Wants `Performance.enable`. */
export async function weigh(devtools) {
  await devtools.send("HeapProfiler.collectGarbage");
  const { metrics } = await devtools.send("Performance.getMetrics");
  const of = (name) => metrics.find((metric) => metric.name === name).value;
  return { heap: of("JSHeapUsedSize"), nodes: of("Nodes"), listeners: of("JSEventListeners") };
}
