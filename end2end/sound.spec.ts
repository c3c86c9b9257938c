// Sound: off until somebody asks for it, and then on for good.
import { LONG_MS, media, plays, playsOn, rests, settles } from "./probe";
import { expect, press, showControls, swipe, test } from "./actions";

const sound = { name: "Sound", exact: true } as const;

test("trap 2: sound starts off, and once on it survives 20 swipes", async ({ page }) => {
  test.setTimeout(60_000);
  await page.goto("/");
  await plays(page, "clip_0");
  await expect(page.getByRole("button", sound)).toHaveAttribute("aria-pressed", "false");
  expect(await media(page, (video) => video.muted)).toBe(true);
  await showControls(page);
  await page.getByRole("button", sound).tap();
  for (let n = 0; n < 20; n++) {
    const way = n < 10 ? 1 : -1;
    await expect(page.getByRole("button", sound)).toHaveAttribute("aria-pressed", "true");
    expect(await media(page, (video) => video.muted)).toBe(false);
    await swipe(page, way, { steps: 6 });
    await plays(page, `clip_${n < 10 ? n + 1 : 19 - n}`);
  }
  expect(await media(page, (video) => !video.muted && !video.paused && video.volume)).toBe(1);
});

test("the offer of sound is taken once, and M takes it back", { tag: "@smoke" }, async ({ page }) => {
  await page.goto("/");
  await plays(page, "clip_0");
  const offer = page.getByRole("button", { name: "Tap to hear" });
  await offer.tap();
  await expect(offer).toBeHidden();
  expect(await media(page, (video) => video.muted)).toBe(false);
  await press(page, "m");
  await expect(page.getByRole("button", sound)).toHaveAttribute("aria-pressed", "false");
  expect(await media(page, (video) => video.muted)).toBe(true);
  await expect(offer).toBeHidden();
});

for (const channel of ["clip_3", "wide"]) {
  test(`a mouse that moves to the offer of sound finds it there, and its click pauses nothing, at ${channel}`, { tag: "@desktop" }, async ({ page }) => {
    await page.goto(`/c/${channel}`);
    await plays(page, channel);
    await expect(page.getByRole("main")).not.toHaveAttribute("data-slate", { timeout: LONG_MS });
    const offer = page.getByRole("button", { name: /^Sound on/ });
    const at = (await offer.boundingBox())!;
    // Where it is also when its words have gone.
    const [x, y] = [at.x + at.width - 24, at.y + at.height / 2];
    await page.mouse.move(x - 160, y - 240);
    await page.mouse.move(x - 120, y - 200, { steps: 4 });
    await expect(page.getByRole("main")).toHaveAttribute("data-controls", "");
    await settles(page, ".controls, .hear");
    await page.mouse.move(x, y, { steps: 10 });
    await settles(page, ".controls, .hear");
    expect(await offer.evaluate((e) => getComputedStyle(e).opacity)).toBe("1");
    // Beside the controls, and above what is told of the reel.
    const under = await page.evaluate(() => {
      const a = document.querySelector(".hear")!.getBoundingClientRect();
      return [".run", ".dock .hole", ".slate h2", ".slate .words", ".slate .edge-print"].filter((selector) =>
        [...document.querySelectorAll(`.controls ${selector}, [aria-current] > ${selector}`)].some((e) => {
          const b = e.getBoundingClientRect();
          return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
        }),
      );
    });
    expect(under).toEqual([]);
    await page.mouse.down();
    await page.mouse.up();
    await expect.poll(() => media(page, (video) => video.muted)).toBe(false);
    await expect(offer).toBeHidden();
    // A tap waits for a second one before it pauses.
    await playsOn(page, channel);
  });
}

test("in small windows the offer of sound lies on nothing that a mouse wants", { tag: "@desktop" }, async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  const said: Record<string, string[]> = {};
  let offered = 0;
  for (const [width, height] of [[320, 256], [320, 320], [427, 341], [512, 410], [568, 320], [640, 256], [844, 390], [390, 844], [1000, 560]] as const) {
    await page.setViewportSize({ width, height });
    await rests(page);
    await page.mouse.move(width / 2, height / 2 - 4);
    await page.mouse.move(width / 2, height / 2);
    await expect(page.getByRole("main")).toHaveAttribute("data-controls", "");
    await settles(page, ".controls, .top, .hear, .slate");
    const found = await page.evaluate(() => {
      const hear = document.querySelector(".hear")!, a = hear.getBoundingClientRect();
      if (getComputedStyle(hear).opacity === "0") return undefined;
      if (a.top < 0 || a.bottom > innerHeight) return ["outside"];
      return [...document.querySelectorAll(".controls button, .controls [role=slider], .top :is(a, button), [aria-current] > .slate h2")]
        .filter((e) => {
          const b = e.getBoundingClientRect();
          return e.checkVisibility() && a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
        })
        .map((e) => e.className || e.tagName);
    });
    if (found?.length) said[`${width}x${height}`] = found;
    offered += Number(found !== undefined);
  }
  expect(said).toEqual({});
  expect(offered, "windows in which it is offered").toBeGreaterThan(4);
});
