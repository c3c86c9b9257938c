// Fingers on the strip: what goes on, what springs back, what stays whole meanwhile.
import { active, brightness, media, plays, rests, stays } from "./eyes";
import { devtools, drag, expect, swipe, test, touch } from "./hands";

const HERE = { x: 195, y: 460 };

test("a swipe goes one on, a swipe back goes one back", async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  await swipe(page, 1);
  await plays(page, "clip_4");
  await rests(page);
  await swipe(page, -1);
  await plays(page, "clip_3");
  await rests(page);
  await swipe(page, -1);
  await plays(page, "clip_2");
});

test("a short drag and one that turns back spring back, and the reel plays on", async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  await drag(page, HERE, [-10, -20, -30, -40, -50, -60, -60, -60, -60, -60], 40);
  await stays(page, "clip_3");
  await drag(page, HERE, [-60, -120, -180, -240, -280, -270, -240, -200, -160, -120, -80], 25);
  await stays(page, "clip_3");
  await plays(page, "clip_3");
  const frames = await page.evaluate(() => window.sight.frames);
  await expect.poll(() => page.evaluate(() => window.sight.frames)).toBeGreaterThan(frames);
});

test("at the first reel a swipe back springs back", async ({ page }) => {
  await page.goto("/");
  await plays(page, "clip_0");
  await swipe(page, -1);
  await stays(page, "clip_0");
  await plays(page, "clip_0");
});

test("45 swipes: one media element at every frame, and nothing grows", async ({ page }) => {
  test.setTimeout(90_000);
  const session = await devtools(page);
  await session.send("Performance.enable");
  await page.goto("/");
  await plays(page, "clip_0");
  const counted = async () => {
    // What is about to settle has settled.
    await page.waitForTimeout(1_500);
    for (let n = 0; n < 2; n++) await session.send("HeapProfiler.collectGarbage");
    const { metrics } = await session.send("Performance.getMetrics");
    const value = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? NaN;
    return { nodes: value("Nodes"), listeners: value("JSEventListeners") };
  };
  let place = 0, before: { nodes: number; listeners: number } | undefined;
  for (let n = 0; n < 45; n++) {
    const way = n % 18 < 9 ? 1 : -1;
    await swipe(page, way, { steps: 6 });
    place += way;
    await plays(page, `clip_${place}`);
    await rests(page);
    if (n === 17) before = await counted();
    if (n === 35) {
      const after = await counted();
      expect(after.nodes - before!.nodes, "nodes in 18 swipes").toBeLessThanOrEqual(5);
      expect(after.listeners - before!.listeners, "listeners in 18 swipes").toBeLessThanOrEqual(2);
    }
  }
  expect(await page.evaluate(() => window.sight.most)).toBe(1);
  expect(await page.getByRole("article").count()).toBeLessThanOrEqual(7);
});

test("a double flick goes two on", async ({ page }) => {
  await page.goto("/c/clip_2");
  await plays(page, "clip_2");
  await swipe(page, 1, { steps: 4, stepMs: 6 });
  await swipe(page, 1, { steps: 4, stepMs: 6 });
  await plays(page, "clip_4");
  await rests(page);
  expect(await page.evaluate(() => window.sight.most)).toBe(1);
});

test("ten fast swipes on a phone's line end on the tenth, and what was passed is not downloaded", async ({ page }) => {
  const session = await devtools(page);
  await session.send("Network.enable");
  const passed = new Set<string>();
  page.on("requestfinished", (request) => {
    const channel = /\/streams\/(clip_[1-9])\/.*\.ts/.exec(request.url())?.[1];
    if (channel) passed.add(channel);
  });
  await page.goto("/");
  await plays(page, "clip_0");
  // 4G.
  await session.send("Network.emulateNetworkConditions", {
    offline: false, latency: 85, downloadThroughput: 9e6 / 8, uploadThroughput: 1.5e6 / 8,
  });
  for (let n = 0; n < 10; n++) await swipe(page, 1, { steps: 4, stepMs: 6 });
  await plays(page, "clip_10");
  await rests(page);
  await expect(page).toHaveURL(/clip_10/);
  expect(await page.evaluate(() => window.sight.most)).toBe(1);
  // The first one was warm, and the last one's neighbour is warmed afterwards.
  expect(passed.size, [...passed].join(" ")).toBeLessThanOrEqual(5);
});

test("two fingers do not move the feed", async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  const spread = [0, 20, 40, 70, 100, 140].map((d) => [
    { x: 195, y: 380 - d },
    { x: 205, y: 440 + d },
  ]);
  await touch(page, spread, 16);
  await stays(page, "clip_3");
  const together = [0, 40, 80, 120, 160, 200].map((d) => [
    { x: 150, y: 600 - d },
    { x: 250, y: 600 - d },
  ]);
  await touch(page, together, 16);
  await stays(page, "clip_3");
});

test("a sideways drag is nobody's", async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  await touch(page, [0, 30, 60, 100, 150].map((d) => [{ x: 100 + d, y: 400 - d / 4 }]));
  await stays(page, "clip_3");
});

test("turning the phone keeps the reel, and the way on from it", async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  for (const [width, height] of [[844, 390], [390, 844]] as const) {
    await page.setViewportSize({ width, height });
    await rests(page);
    await plays(page, "clip_3");
  }
  await swipe(page);
  await plays(page, "clip_4");
  await rests(page);
});

test("a landscape picture has its size again when one comes back to it", async ({ page }) => {
  await page.goto("/c/wide");
  await plays(page, "wide");
  const size = () => media(page, (video) => video.getBoundingClientRect().toJSON() as DOMRect);
  await rests(page);
  const before = await size();
  expect(before.width / before.height).toBeCloseTo(16 / 9, 1);
  await swipe(page, -1);
  await expect(active(page)).toHaveAttribute("data-channel", "tone");
  await rests(page);
  await swipe(page, 1);
  await plays(page, "wide");
  await rests(page);
  const after = await size();
  for (const edge of ["x", "y", "width", "height"] as const) expect(after[edge]).toBeCloseTo(before[edge], 0);
});

test("the poster stays until the picture comes: no black", async ({ page }) => {
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route("**/streams/clip_2/*.ts*", async (route) => {
    await released;
    await route.continue();
  });
  await page.goto("/");
  await plays(page, "clip_0");
  await expect(page.locator("[data-channel=clip_2] img.poster")).toHaveJSProperty("complete", true);
  await swipe(page);
  await swipe(page);
  for (const wait of [0, 150, 900]) {
    await page.waitForTimeout(wait);
    expect(await brightness(page), `${wait} ms later`).toBeGreaterThan(40);
  }
  await rests(page);
  await expect(active(page)).toHaveAttribute("data-channel", "clip_2");
  expect(await page.evaluate(() => window.sight.moves)).toBeNull();
  release();
  await plays(page, "clip_2");
});

test("the reel that is left keeps its last frame", async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  await swipe(page);
  const left = page.locator("[data-channel=clip_3] canvas.last-frame");
  await expect(left).toBeAttached();
  const corner = await left.evaluate((canvas: HTMLCanvasElement) => {
    const at = Math.round(canvas.width / 32);
    return Array.from(canvas.getContext("2d")!.getImageData(at, at, 1, 1).data);
  });
  for (const [n, value] of [255, 255, 0].entries()) expect(Math.abs(corner[n]! - value)).toBeLessThan(60);
  await plays(page, "clip_4");
});
