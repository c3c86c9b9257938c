// Where one left: a long reel goes on there.
import { media, plays, rests } from "./probe";
import { expect, swipe, test } from "./actions";

test("a reel of more than a minute goes on where it was left, also at the next visit; a short one begins again", async ({ page, serve }) => {
  test.setTimeout(90_000);
  const server = await serve(["clip_0", "clip_1", "long", "said_1"]);
  const at = () => media(page, (video) => video.currentTime);
  const goesOn = async () => {
    await plays(page, "long");
    const seconds = await at();
    expect(seconds).toBeGreaterThan(19);
    expect(seconds).toBeLessThan(60);
  };
  await page.goto(`${server.url}/c/long`);
  await plays(page, "long");
  await media(page, (video) => (video.currentTime = 20));
  await expect.poll(at).toBeGreaterThan(20.3);
  await swipe(page);
  await plays(page, "said_1");
  await rests(page);
  await swipe(page, -1);
  await goesOn();
  await rests(page);
  // Far enough away that the player holds others meanwhile.
  for (const channel of ["clip_1", "clip_0"]) {
    await swipe(page, -1);
    await plays(page, channel);
    await rests(page);
  }
  await media(page, (video) => (video.currentTime = 4));
  await page.goto(`${server.url}/c/long`);
  await goesOn();
  await page.goto(`${server.url}/c/clip_0`);
  await plays(page, "clip_0");
  expect(await at()).toBeLessThan(4);
});

test("a long reel that is on screen when the page is left goes on there at the next visit", async ({ page, serve }) => {
  const server = await serve(["clip_0", "long"]);
  await page.goto(`${server.url}/c/long`);
  await plays(page, "long");
  await media(page, (video) => (video.currentTime = 20));
  await expect.poll(() => media(page, (video) => video.currentTime)).toBeGreaterThan(20.3);
  await page.reload();
  await plays(page, "long");
  expect(await media(page, (video) => video.currentTime)).toBeGreaterThan(19);
});
