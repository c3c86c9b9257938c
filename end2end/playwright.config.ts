// The browser tests: one Chromium, two windows, against the release binary that global-setup.ts starts.
// CHROMIUM names another browser binary; CARRETE_URL another server, which is then left alone.
// What goes through many views or counts takes some of them; FULL=1 takes all (`tools/audit.sh browser`).
// A test runs on a phone, one tagged @desktop in a wide window, one tagged @both in both. `--grep @smoke` is the least that must work.
import { defineConfig } from "@playwright/test";

import { launch } from "./browser";

/** What measures times, or what the main thread does: by themselves. PART says which are run, without it all are, one by one. */
const ALONE = ["drift", "early", "motion", "swipe", "warm"].map((name) => `${name}.spec.ts`);
const part = process.env.PART;

export default defineConfig({
  testDir: ".",
  testMatch: part === "alone" ? ALONE : "*.spec.ts",
  testIgnore: part === "together" ? ALONE : [],
  globalSetup: "./global-setup.ts",
  outputDir: "../target/end2end",
  workers: part === "together" ? 2 : 1,
  retries: 1,
  forbidOnly: true,
  timeout: 40_000,
  expect: { timeout: 8_000 },
  reporter: "list",
  use: {
    baseURL: process.env.CARRETE_URL,
    locale: "en-US",
    screenshot: "only-on-failure",
    trace: "off",
    launchOptions: launch(),
  },
  projects: [
    {
      name: "phone",
      grepInvert: /@desktop/,
      use: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
    },
    { name: "desktop", grep: /@desktop|@both/, use: { viewport: { width: 1440, height: 900 } } },
  ],
});
