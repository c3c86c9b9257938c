// The room round the picture: very wide, on its side, with a landscape picture on a phone; and who is told what.
import { active, plays, rests } from "./probe";
import { expect, press, showControls, test } from "./actions";

test("in a very wide window the room stays together in the middle, and only the light goes on", { tag: "@desktop" }, async ({ page }) => {
  for (const [width, height] of [[2560, 1080], [3440, 1440], [1920, 1080]] as const) {
    await page.setViewportSize({ width, height });
    await page.goto("/c/clip_3");
    await plays(page, "clip_3");
    const seen = await page.evaluate(() => {
      const box = (selector: string) => document.querySelector(selector)!.getBoundingClientRect();
      const [list, chat, film, light] = [box(".strip-list"), box(".chat"), box("article[aria-current]"), box(".room-light")];
      return { left: list.left, right: innerWidth - chat.right, wide: chat.right - list.left, film: film.left + film.width / 2, light: light.width };
    });
    expect(seen.wide, JSON.stringify(seen)).toBeLessThanOrEqual(1600);
    expect(Math.abs(seen.left + 6 - seen.right), "it stands in the middle").toBeLessThan(2);
    expect(Math.abs(seen.film - width / 2)).toBeLessThan(1);
    expect(seen.light).toBe(width);
  }
});

test("above a landscape picture, not on it, stand the brand and the guide", { tag: "@desktop" }, async ({ page }) => {
  for (const [width, height] of [[2560, 1080], [1920, 1080], [1440, 900]] as const) {
    await page.setViewportSize({ width, height });
    await page.goto("/c/wide");
    await plays(page, "wide");
    await rests(page);
    const seen = await page.evaluate(() => {
      const box = (selector: string) => document.querySelector(selector)!.getBoundingClientRect();
      const [brand, tools, picture, chat] = [box(".brand"), box(".tools"), box("article[aria-current] .picture"), box(".chat")];
      return { over: picture.top - Math.max(brand.bottom, tools.bottom), gap: chat.left - picture.right, end: innerWidth - chat.right, left: picture.left };
    });
    expect(seen.over, `${width}x${height} ${JSON.stringify(seen)}`).toBeGreaterThan(0);
    expect(seen.gap).toBeLessThan(200);
  }
});

test("on a phone on its side an upright picture stands in its light: no black beside it, the chat free on it", async ({ page }) => {
  await page.setViewportSize({ width: 844, height: 390 });
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  await rests(page);
  const seen = await page.evaluate(() => {
    const box = (selector: string) => document.querySelector(selector)!.getBoundingClientRect();
    const video = box("article[aria-current] video");
    return {
      middle: video.left + video.width / 2, top: video.top, bottom: video.bottom,
      light: document.querySelector(".room-light")!.checkVisibility(),
      black: document.querySelector(".film-edges")!.checkVisibility(),
      boxes: [".feed", "article[aria-current] .picture"].map((selector) => getComputedStyle(document.querySelector(selector)!).backgroundImage),
      scrim: box("article[aria-current] .slate").width,
    };
  });
  expect([seen.middle, seen.top, seen.bottom]).toEqual([422, 0, 390]);
  expect([seen.light, seen.black]).toEqual([true, false]);
  expect(seen.boxes).toEqual(["none", "none"]);
  expect(seen.scrim).toBe(844);
  await showControls(page);
  const dock = await page.locator(".like").boundingBox();
  expect(Math.round(844 - dock!.x - dock!.width)).toBe(20);
  await page.locator(".chat-button").tap();
  await expect(page.getByRole("textbox", { name: "Message" })).toBeVisible();
  await expect
    .poll(() => page.evaluate(() => Math.round(document.querySelector("article[aria-current] video")!.getBoundingClientRect().left)))
    .toBe(96);
  const chat = await page.locator(".chat").evaluate((e) => ({ left: e.getBoundingClientRect().left, ground: getComputedStyle(e).backgroundColor }));
  expect(chat.ground).toBe("rgba(0, 0, 0, 0)");
  expect(chat.left).toBeGreaterThan(96 + 219);
});

for (const locale of ["en-US", "es-ES"]) {
  test(`on a phone on its side the chat tells how many there are, where it has room for that, ${locale}`, async ({ guest, serve }) => {
    const server = await serve(["clip_3", "square", "wide"]);
    const page = await guest({ viewport: { width: 844, height: 390 }, locale, hasTouch: true, isMobile: true });
    for (const channel of ["clip_3", "square", "wide"]) {
      await page.goto(`${server.url}/c/${channel}`);
      await plays(page, channel);
      await rests(page);
      await showControls(page);
      await page.locator(".chat-button").tap();
      await expect(page.locator(".chat")).toHaveAttribute("data-open", "");
      for (const [width, height] of [[932, 430], [844, 390], [740, 360], [667, 375], [640, 360], [568, 320]] as const) {
        await page.setViewportSize({ width, height });
        const said = `${channel} at ${width}x${height}`;
        const watching = page.locator(".chat .watching");
        // Beside a square on a small phone there is room for next to nothing.
        if (channel === "square" && width < 800) continue;
        await expect(watching, said).toBeVisible();
        await expect.poll(() => page.locator(".chat").evaluate((e) => innerWidth - e.getBoundingClientRect().right)).toBe(0);
        const boxes = await page.evaluate(() =>
          [".scope", ".watching", ".close"].map((selector) => {
            const e = document.querySelector(`.chat ${selector}`)!;
            const { left, right, top, bottom } = e.getBoundingClientRect();
            return { left, right, top, bottom, cut: e.scrollWidth > e.clientWidth };
          }),
        );
        const [scope, count, close] = boxes;
        const all = `${said}: ${JSON.stringify(boxes)}`;
        for (const box of boxes) expect(box.cut, all).toBe(false);
        expect(close!.right, all).toBeLessThanOrEqual(width);
        expect(close!.left, all).toBeGreaterThanOrEqual(scope!.right - 0.5);
        expect(close!.top, all).toBeLessThan(scope!.bottom);
        // Between them, or where that is too narrow on a line below.
        const between = count!.left >= scope!.right - 0.5 && count!.right <= close!.left + 0.5;
        expect(count!.right === count!.left || between || count!.top >= close!.bottom - 0.5, all).toBe(true);
      }
      await page.setViewportSize({ width: 844, height: 390 });
    }
  });
}

test("a landscape picture on a phone lies above the middle, and its slate at the run", async ({ page }) => {
  await page.goto("/c/wide");
  await plays(page, "wide");
  await rests(page);
  const seen = async () =>
    page.evaluate(() => {
      const box = (selector: string) => document.querySelector(selector)!.getBoundingClientRect();
      const [video, title, run] = [box("article[aria-current] video"), box("article[aria-current] h2"), box(".run")];
      return { above: video.top, below: title.top - video.bottom, run: run.top - title.bottom };
    });
  const rest = await seen();
  expect(rest.above).toBeGreaterThan(180);
  await showControls(page);
  await expect.poll(async () => (await seen()).run, { message: "from the title to the run" }).toBeLessThan(60);
  expect((await seen()).below, "no wide black between picture and title").toBeLessThan(210);
  const full = (await page.locator(".full").boundingBox())!;
  const video = (await page.locator("article[aria-current] video").boundingBox())!;
  expect(full.y + full.height, "its button lies in the corner of the picture").toBeLessThan(video.y + video.height + 1);
});

test("a mouse is told the key of the sound, a finger to tap", { tag: "@both" }, async ({ page, isMobile }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  const hear = page.locator(".hear");
  await expect(hear).toHaveAccessibleName(isMobile ? "Tap to hear" : "Sound on (M)");
  if (isMobile) return;
  // Without keys of one letter it is not told.
  await press(page, "?");
  await page.getByRole("switch", { name: /Single-letter/ }).click();
  await press(page, "Escape");
  await expect(hear).toHaveAccessibleName("Sound on");
});

test("the feed is busy while it moves", async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  await rests(page);
  const seen = await page.evaluateHandle(() => {
    const all: (string | null)[] = [];
    const feed = document.querySelector("[role=feed]")!;
    new MutationObserver(() => all.push(feed.getAttribute("aria-busy"))).observe(feed, { attributeFilter: ["aria-busy"] });
    return all;
  });
  await press(page, "ArrowDown");
  await plays(page, "clip_4");
  await rests(page);
  await expect.poll(async () => (await seen.jsonValue()).at(-1)).toBe("false");
  expect((await seen.jsonValue())[0]).toBe("true");
});

test("titles in any script run their own way", async ({ guest, serve }) => {
  const server = await serve([]);
  server.link("a1", "clip_1", 'title = "فيلم العطلة"\ndescription = "يوم في البحر (2018)"\ntags = ["بحر"]\n');
  await expect.poll(async () => (await (await fetch(`${server.url}/api/channels`)).json()).length, { timeout: 20_000 }).toBe(1);
  const page = await guest({ viewport: { width: 1440, height: 900 } });
  await page.goto(`${server.url}/c/a1`);
  await expect(active(page)).toHaveAttribute("data-channel", "a1");
  const way = (selector: string) => page.locator(selector).first().evaluate((e) => getComputedStyle(e).direction);
  for (const selector of ["article[aria-current] h2", "article[aria-current] .words", ".strip-list b"]) expect(await way(selector), selector).toBe("rtl");
  await page.goto(`${server.url}/guide`);
  expect(await way(".film-frame b")).toBe("rtl");
  expect(await way("html")).toBe("ltr");
});

test("a tag in any script stands apart from what is told before it", async ({ guest, serve }) => {
  const server = await serve([]);
  server.link("a1", "clip_1", 'title = "Verano"\ndescription = "La playa."\ntags = ["صيف", "verano"]\n');
  server.link("a2", "clip_2", 'title = "بحر"\ndescription = "يوم في البحر"\ntags = ["صيف", "بحر"]\n');
  server.link("a3", "clip_3", 'title = "Calma"\ndescription = "El mar."\ntags = ["mar", "calma"]\n');
  await expect.poll(async () => (await (await fetch(`${server.url}/api/channels`)).json()).length, { timeout: 20_000 }).toBe(3);
  const page = await guest({ viewport: { width: 390, height: 844 } });
  await page.goto(`${server.url}/c/a1`);
  for (const [channel, text] of [["a1", "La playa. #صيف #verano"], ["a2", "يوم في البحر #صيف #بحر"], ["a3", "El mar. #mar #calma"]]) {
    await plays(page, channel!);
    await rests(page);
    const seen = await active(page).evaluate((reel) => {
      const letters = (selector: string) => {
        const node = reel.querySelector(selector)!.firstChild as Text, range = document.createRange();
        const from = node.data.search(/\S/);
        range.setStart(node, from);
        range.setEnd(node, node.data.trimEnd().length);
        const boxes = [...range.getClientRects()];
        return { left: Math.min(...boxes.map((box) => box.left)), right: Math.max(...boxes.map((box) => box.right)) };
      };
      return { gap: letters(".tag").left - letters(".words").right, text: reel.querySelector(".description")!.textContent };
    });
    expect(seen.text).toBe(text);
    expect(seen.gap, channel).toBeGreaterThanOrEqual(3);
    await press(page, "ArrowDown");
  }
});

test("full screen comes before the turn, and there is no button where a page cannot have it", async ({ guest }) => {
  const page = await guest({ viewport: { width: 844, height: 390 } });
  await page.addInitScript(() => {
    const calls: string[] = [];
    Object.assign(window, { calls });
    Element.prototype.requestFullscreen = () => {
      calls.push("full");
      return new Promise((resolve) => setTimeout(() => (calls.push("granted"), resolve()), 50));
    };
    // No part of TypeScript's own description of the browser.
    Object.assign(ScreenOrientation.prototype, { lock: async () => void calls.push("lock") });
  });
  await page.goto("/c/wide");
  await plays(page, "wide");
  await press(page, "f");
  await expect.poll(() => page.evaluate(() => (window as unknown as { calls: string[] }).calls)).toEqual(["full", "granted", "lock"]);
  const phone = await guest({ viewport: { width: 844, height: 390 } });
  await phone.addInitScript(() => Object.defineProperty(Document.prototype, "fullscreenEnabled", { get: () => undefined }));
  await phone.goto("/c/wide");
  await plays(phone, "wide");
  await expect(phone.locator(".full")).toBeHidden();
});

test("pages that stand still load no program", async ({ page, expects }) => {
  expects(/status of 404/);
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  for (const path of ["/pulse", "/no/such/page", "/c/nobody"]) {
    await page.goto(path);
    await page.waitForLoadState("networkidle");
  }
  expect(asked.filter((path) => /wasm|vendor|pkg\/.*js/.test(path))).toEqual([]);
  await expect(page.getByRole("link", { name: "See the guide" })).toBeVisible();
});

test("an empty server tells a guest to wait, and whoever sits at the machine how to fill it", async ({ guest, serve, playwright }) => {
  const server = await serve([], { TRUSTED_PROXIES: "127.0.0.1/32" });
  const page = await guest({ viewport: { width: 390, height: 844 } });
  await page.goto(server.url);
  await expect(page.getByRole("heading", { name: "There is no film yet" })).toBeVisible();
  await expect(page.getByText(server.streams)).toBeVisible();
  expect(await page.locator(".ways li").count()).toBe(3);
  await page.setExtraHTTPHeaders({ "x-forwarded-for": "192.168.1.20", "x-forwarded-host": "tv.lan" });
  await page.goto(server.url);
  await expect(page.getByRole("heading", { name: "Nothing here yet" })).toBeVisible();
  expect(await page.content()).not.toContain(server.streams);
  await expect(page.locator(".ways")).toHaveCount(0);
});
