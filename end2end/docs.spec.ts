// The description of the API as a page: whole, readable on a phone, and nothing in it from another host.
import type { Page } from "@playwright/test";

import { complaints, VIEWS } from "./axe";
import { expect, test } from "./actions";

type Described = { paths: Record<string, Record<string, object>>; components: { schemas: Record<string, object> } };

/** What sticks out sideways, or scrolls so by itself. Runs in the page. */
function misfits(): string[] {
  const found = [];
  const root = document.documentElement;
  if (Math.max(root.scrollWidth, document.body.scrollWidth) > innerWidth) found.push(`${root.scrollWidth} px wide`);
  for (const e of document.querySelectorAll("body *")) {
    const { left, right } = e.getBoundingClientRect();
    const name = `${e.tagName} ${e.textContent?.trim().slice(0, 60)}`;
    if (left < -0.5 || right > innerWidth + 0.5) found.push(`${name} sticks out`);
    if (e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1) found.push(`${name} is ${e.scrollWidth} px in ${e.clientWidth}`);
  }
  return found;
}

/** The hosts of all that a page asks for from now on. */
function hosts(page: Page): Set<string> {
  const asked = new Set<string>();
  const ask = (address: string) => asked.add(new URL(address).host);
  page.on("request", (request) => ask(request.url()));
  page.on("websocket", (socket) => ask(socket.url()));
  return asked;
}

for (const { width, height, colorScheme, locale } of VIEWS) {
  test(`the API can be read at ${width}x${height}, ${colorScheme}, ${locale}`, async ({ guest }) => {
    const page = await guest({ viewport: { width, height }, colorScheme, locale, bypassCSP: true, isMobile: width < 1000, hasTouch: width < 1000 });
    await page.goto("/api/docs");
    await expect(page.locator("html")).toHaveAttribute("lang", locale.slice(0, 2));
    expect(await complaints(page)).toEqual([]);
    expect(await page.evaluate(misfits)).toEqual([]);
  });
}

for (const javaScriptEnabled of [true, false]) {
  test(`every address is told, ${javaScriptEnabled ? "with" : "without"} JavaScript, and nothing is asked of others`, async ({ guest, baseURL, request }) => {
    const described = (await (await request.get("/api/openapi.json")).json()) as Described;
    const page = await guest({ javaScriptEnabled });
    const asked = hosts(page);
    expect((await page.goto("/api/docs"))?.status()).toBe(200);
    await page.waitForLoadState("networkidle");
    expect([...asked]).toEqual([new URL(baseURL!).host]);

    const addresses = Object.entries(described.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(addresses.length).toBeGreaterThan(20);
    for (const address of addresses) {
      await expect(page.getByRole("heading", { level: 3, name: address, exact: true }), address).toBeVisible();
    }
    const forms = Object.keys(described.components.schemas);
    expect(await page.getByRole("article").count(), "no more than that").toBe(addresses.length + forms.length);
    for (const form of forms) {
      await expect(page.getByRole("heading", { name: form, exact: true }), form).toBeVisible();
    }
    // The way to the document itself, and back to the reels.
    await expect(page.getByRole("link", { name: "openapi.json" })).toHaveAttribute("href", "/api/openapi.json");
    await expect(page.getByRole("link", { name: "Carrete" })).toHaveAttribute("href", "/");
  });
}
