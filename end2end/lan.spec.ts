// The network of a home: plain http under a name, where a browser asks for gzip only and many interfaces are missing.
import { launch } from "./browser";
import { plays, rests } from "./probe";
import { expect, openChat, say, scales, swipe, test } from "./actions";

/** A first visit without media, in gzip: most people come over plain http. */
const FIRST_VISIT = 360_000;

test.use({ launchOptions: launch("--host-resolver-rules=MAP carrete.lan 127.0.0.1") });

test("on plain http at home it opens, plays, swipes and chats, in gzip", async ({ page, guest, baseURL }) => {
  const url = baseURL!.replace("127.0.0.1", "carrete.lan");
  const encodings: (string | undefined)[] = [];
  page.on("response", (response) => {
    if (/\.(wasm|m?js|css)(\?|$)|carrete\.lan:\d+\/$/.test(response.url())) encodings.push(response.headers()["content-encoding"]);
  });
  const weigh = await scales(page);
  await page.goto(url);
  expect(await page.evaluate(() => isSecureContext)).toBe(false);
  await plays(page, "clip_0");
  expect(encodings.length).toBeGreaterThan(3);
  expect([...new Set(encodings)]).toEqual(["gzip"]);
  expect(await weigh()).toBeLessThanOrEqual(FIRST_VISIT);
  await swipe(page);
  await plays(page, "clip_1");
  await rests(page);
  const other = await guest();
  await other.goto(url);
  await plays(other, "clip_0");
  await openChat(page);
  await openChat(other);
  await say(page, "from the sofa", "lan");
  for (const person of [page, other]) {
    await expect(person.getByRole("log").getByText("from the sofa", { exact: true })).toBeVisible();
  }
});
