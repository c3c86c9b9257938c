// How Chromium is started: the one without windows, which loads a page with half the work (docs/decisions/0128). CHROMIUM
// names another binary.
import type { LaunchOptions } from "@playwright/test";

/** Launch options, with more arguments where a test needs them. */
export function launch(...args: string[]): LaunchOptions {
  return {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium-headless-shell",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...args,
    ],
  };
}
