// Preparing the neighbour: only what the network can spare, and nothing for people who save.
import { LONG_MS, nothingFor, plays, rests } from "./probe";
import { devtools, expect, press, swipe, test } from "./actions";

/** Segments of a channel. */
const of = (channel: string) => new RegExp(`/streams/${channel}/.*\\.ts`);

test("trap 4: on a slow network the reel on screen is fed before its neighbour", async ({ page }) => {
  test.setTimeout(90_000);
  const said: string[] = [];
  const note = (what: string) => (request: { url: () => string }) => {
    const channel = /\/streams\/(clip_\d)\/.*\.ts/.exec(request.url())?.[1];
    if (channel) said.push(`${what} ${channel}`);
  };
  page.on("request", note("asks"));
  page.on("requestfinished", note("has"));
  const session = await devtools(page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", {
    offline: false, latency: 120, downloadThroughput: 1.5e6 / 8, uploadThroughput: 0.7e6 / 8,
  });
  await page.goto("/");
  await plays(page, "clip_0");
  for (const [here, next] of [["clip_0", "clip_1"], ["clip_1", "clip_2"]] as const) {
    await expect.poll(() => said, { timeout: 30_000, message: `${next} is warmed` }).toContain(`asks ${next}`);
    expect(said.indexOf(`has ${here}`), said.join(", ")).toBeGreaterThanOrEqual(0);
    expect(said.indexOf(`has ${here}`), said.join(", ")).toBeLessThan(said.indexOf(`asks ${next}`));
    if (next === "clip_2") break;
    await swipe(page);
    await plays(page, next);
    await rests(page);
  }
});

test("trap 4: a reel that stalls takes the network from its neighbour", async ({ page, serve }) => {
  test.setTimeout(60_000);
  const server = await serve(["long", "said_1"]);
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const hold = async (route: { continue: () => Promise<void> }) => {
    await released;
    await route.continue().catch(() => undefined);
  };
  // Four seconds of it come; what follows and the neighbour's first segment are under way for as long as we like.
  await page.route(/\/streams\/long\/playlist([2-9]|\d\d)\.ts/, hold);
  await page.route(of("said_1"), hold);
  const [asked, ended] = [new Set<string>(), new Set<string>()];
  page.on("request", (request) => asked.add(new URL(request.url()).pathname));
  page.on("requestfailed", (request) => ended.add(new URL(request.url()).pathname));
  await page.goto(`${server.url}/c/long`);
  await plays(page, "long");
  await expect.poll(() => [...asked].some((path) => of("said_1").test(path)), { timeout: LONG_MS, message: "the neighbour is asked for" }).toBe(true);
  await expect.poll(() => [...ended].some((path) => of("said_1").test(path)), { timeout: 20_000, message: "and given up at the stall" }).toBe(true);
  release();
  await plays(page, "long");
});

test("trap 4: with Save-Data nothing is warmed, and swiping plays all the same", async ({ page }) => {
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.addInitScript(() => {
    Object.defineProperty(navigator, "connection", { value: { saveData: true, effectiveType: "4g" } });
  });
  await page.goto("/");
  await plays(page, "clip_0");
  for (const [here, next] of [["clip_0", "clip_1"], ["clip_1", "clip_2"]] as const) {
    // Whole in the buffer: without Save-Data the neighbour would have been asked for.
    await expect.poll(() => asked.filter((path) => of(here).test(path)).length, { timeout: LONG_MS }).toBeGreaterThanOrEqual(3);
    const warmed = () => asked.filter((path) => path.startsWith(`/streams/${next}/`) && /\.(ts|m3u8)$/.test(path));
    await nothingFor(1_000, "the neighbour is warmed", warmed, []);
    await press(page, "ArrowDown");
    await plays(page, next);
  }
  expect(await page.evaluate(() => window.probe.most)).toBe(1);
});
