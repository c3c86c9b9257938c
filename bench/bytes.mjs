// What a first visit loads before its first picture.
import { visit } from "./browser.mjs";

/** Bytes by file, headers included, until a picture moves; streams and posters left out. */
export async function firstVisit(browser, url) {
  const { context, page } = await visit(browser);
  await page.goto(url, { waitUntil: "commit" });
  await page.waitForFunction(() => document.querySelector("video")?.currentTime > 0, null, { timeout: 30_000, polling: 20 });
  // Not by DevTools: the page's session does not hear of what its workers are loaded from.
  const loaded = await page.evaluate(() =>
    ["navigation", "resource"]
      .flatMap((type) => performance.getEntriesByType(type))
      .map(({ name, transferSize }) => [new URL(name).pathname, transferSize]),
  );
  await context.close();
  const files = new Map();
  for (const [path, size] of loaded) {
    if (size > 0 && !path.startsWith("/streams/")) files.set(path, (files.get(path) ?? 0) + size);
  }
  return files;
}

export const sum = (files) => [...files.values()].reduce((a, b) => a + b, 0);
