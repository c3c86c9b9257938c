// Opening the page: what plays, what is there without a script, addresses, sizes, languages.
import { LONG_MS, active, media, plays, rests } from "./probe";
import { expect, openChat, press, showControls, test } from "./actions";

test("the first channel plays at once, muted, in the one media element", { tag: ["@both", "@smoke"] }, async ({ page }) => {
  await page.goto("/");
  await plays(page, "clip_0");
  expect(await media(page, (video) => video.muted)).toBe(true);
  expect(await page.evaluate(() => window.probe.most)).toBe(1);
  await expect(active(page)).toHaveAttribute("aria-posinset", "1");
  await expect(active(page)).toHaveAttribute("aria-setsize", "13");
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

test("without JavaScript the reels can be read, seen, scrolled and opened", async ({ guest }) => {
  const page = await guest({ javaScriptEnabled: false });
  await page.goto("/");
  const feed = page.getByRole("feed");
  expect(await feed.getByRole("article").count()).toBeGreaterThanOrEqual(3);
  const first = feed.getByRole("article").first();
  await expect(first.getByRole("heading", { name: "Test reel 0" })).toBeVisible();
  const poster = first.locator("img.poster");
  await expect(poster).toBeVisible();
  expect(await poster.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
  const link = first.getByRole("link", { name: "Open the stream" });
  await expect(link).toHaveAttribute("href", "/streams/clip_0/playlist.m3u8");
  await expect(link).toBeInViewport();
  await page.mouse.move(200, 400);
  await page.mouse.wheel(0, 700);
  await expect(feed.getByRole("heading", { name: "Test reel 1" })).toBeInViewport();
  await expect(first.getByRole("heading")).not.toBeInViewport();
});

test("a channel's own address opens it, with its own title and its own preview", async ({ page, request }) => {
  await page.goto("/c/clip_5");
  await plays(page, "clip_5");
  await expect(page).toHaveTitle("Test reel 5 · Carrete");
  const html = await (await request.get("/c/clip_5")).text();
  const property = (name: string) => new RegExp(`property="og:${name}" content="([^"]*)"`).exec(html)?.[1];
  expect(property("title")).toContain("Test reel 5");
  expect(property("description")).toBe("Made for a test.");
  expect(property("url")).toMatch(/^http:\/\/.*\/c\/clip_5$/);
  const image = property("image");
  expect(image).toMatch(/^http:/);
  expect((await request.get(image!)).headers()["content-type"]).toMatch(/^image\//);
});

for (const [address, image] of [["/", /\/og\.jpg$/], ["/c/clip_2", /\/streams\/clip_2\/poster/], ["/pulse", /\/og\.jpg$/]] as const) {
  test(`a link to ${address} shows the right picture`, async ({ request, baseURL }) => {
    const html = await (await request.get(address)).text();
    const shown = /property="og:image" content="([^"]*)"/.exec(html)?.[1] ?? "";
    expect(shown).toMatch(image);
    const answer = await request.get(shown);
    expect(answer.status()).toBe(200);
    expect(answer.headers()["content-type"]).toBe("image/jpeg");
    for (const own of [/<link rel="canonical" href="([^"]*)"/, /property="og:url" content="([^"]*)"/]) {
      expect(new URL(own.exec(html)?.[1] ?? "", baseURL).pathname).toBe(address);
    }
  });
}

for (const [address, sentence] of [["/c/nobody", /nobody/], ["/nothing/here", /nothing at this address/]] as const) {
  test(`${address} says that it is not there, and the way back`, async ({ page, expects }) => {
    expects(/status of 404/);
    expect((await page.goto(address))?.status()).toBe(404);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.getByText(sentence)).toBeVisible();
    await page.getByRole("link", { name: "Go to the first" }).click();
    await plays(page, "clip_0");
  });
}

test("the address and the title follow, and the way back stays one step long", async ({ page }) => {
  await page.goto("/c/clip_0?lang=en");
  await plays(page, "clip_0");
  const before = await page.evaluate(() => history.length);
  await press(page, "ArrowDown");
  await plays(page, "clip_1");
  await expect(page).toHaveURL(/\/c\/clip_1(\?|$)/);
  await expect(page).toHaveTitle("Test reel 1 · Carrete");
  await press(page, "ArrowDown");
  await plays(page, "clip_2");
  await expect(page).toHaveURL(/\/c\/clip_2(\?|$)/);
  expect(await page.evaluate(() => history.length)).toBe(before);
  await page.reload();
  await plays(page, "clip_2");
});

const SIZES = [[360, 640], [390, 844], [768, 1024], [844, 390], [1440, 900]] as const;
for (const [width, height] of SIZES) {
  test(`at ${width}x${height} all fits, the picture shows, and fingers hit every button`, async ({ guest }) => {
    const page = await guest({ viewport: { width, height }, isMobile: width < 1000, hasTouch: true });
    await page.goto("/");
    for (const channel of ["clip_0", "wide"]) {
      if (channel === "wide") await press(page, "End");
      await plays(page, channel);
      await rests(page);
      await showControls(page);
      await expect(page.getByRole("button", { name: "Sound" })).toBeInViewport({ ratio: 1 });
      expect(await page.evaluate(misfits), `${channel}, controls`).toEqual([]);
      const seen = await media(page, (video) => {
        const box = video.getBoundingClientRect();
        const across = Math.min(box.right, innerWidth) - Math.max(box.left, 0);
        const down = Math.min(box.bottom, innerHeight) - Math.max(box.top, 0);
        return Math.min(across / box.width, down / box.height) * Math.min(1, (box.width * box.height) / 40_000);
      });
      expect(seen, "the picture is whole, and large enough").toBeGreaterThan(0.85);
    }
    if (width < 1180) await openChat(page);
    await expect(page.getByRole("textbox", { name: "Message" })).toBeInViewport({ ratio: 1 });
    // The sheet rises first.
    await expect.poll(() => page.evaluate(misfits), { message: "the chat", timeout: LONG_MS }).toEqual([]);
  });
}

/** What sticks out sideways, and which visible control is too small for a finger. Runs in the page. */
function misfits(): string[] {
  const found = [];
  const root = document.documentElement;
  if (Math.max(root.scrollWidth, document.body.scrollWidth) > innerWidth) found.push(`${root.scrollWidth} px wide`);
  const name = (e: Element) => `${e.tagName} ${e.getAttribute("aria-label") ?? e.textContent}`;
  for (const button of document.querySelectorAll("button, a, input, [role=slider]")) {
    if (!button.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const around = button.closest(".controls, .top");
    if (around && getComputedStyle(around).opacity !== "1") continue;
    const { width, height, left, right } = button.getBoundingClientRect();
    if (Math.min(width, height) < 43.5) found.push(`${name(button)} is ${Math.round(width)}x${Math.round(height)}`);
    if (left < -0.5 || right > innerWidth + 0.5) found.push(`${name(button)} sticks out`);
  }
  return found;
}

test("the page speaks the reader's language, and remembers another one", async ({ guest }) => {
  const page = await guest({ locale: "es-AR" });
  const language = () => page.locator("html").getAttribute("lang");
  await page.goto("/");
  expect(await language()).toBe("es");
  await expect(page.getByRole("button", { name: "Sonido" })).toBeAttached();
  await page.goto("/?lang=en");
  expect(await language()).toBe("en");
  await expect(page.getByRole("button", { name: "Sound" })).toBeAttached();
  await plays(page, "clip_0");
  await page.goto("/");
  expect(await language()).toBe("en");
});

test("at rest only the film edge is left, and it is lit", async ({ page }) => {
  await page.goto("/c/clip_2");
  await plays(page, "clip_2");
  await expect(page.getByRole("main")).not.toHaveAttribute("data-slate", { timeout: LONG_MS });
  await expect(page.locator(".rest-line")).toHaveCSS("opacity", "1");
  await expect(page.locator(".controls")).toHaveCSS("opacity", "0");
});
