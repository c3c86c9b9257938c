// What axe-core has to say of a page. The page's own policy refuses its script: such pages are opened with `bypassCSP`.
import { createRequire } from "node:module";

import type { Page } from "@playwright/test";
import type { AxeResults } from "axe-core";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

declare const axe: { run: (context: Document, options: object) => Promise<AxeResults> };

/** Where it is asked: each size, scheme and language meets each other once. */
const ALL = [
  { width: 390, height: 844, colorScheme: "dark", locale: "en-US" },
  { width: 1440, height: 900, colorScheme: "light", locale: "es-AR" },
  { width: 390, height: 844, colorScheme: "light", locale: "es-AR" },
  { width: 1440, height: 900, colorScheme: "dark", locale: "en-US" },
] as const;
/** The first two cover each of them. */
export const VIEWS = process.env.FULL ? ALL : ALL.slice(0, 2);

/** Everything that it objects to, best practices too. */
export async function complaints(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in window))) await page.addScriptTag({ path: AXE });
  const results = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  return results.violations.flatMap((v) => v.nodes.map((node) => `${v.id}: ${node.target.join(" ")} ${node.failureSummary}`));
}
