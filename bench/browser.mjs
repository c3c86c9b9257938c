// A phone-sized Chromium, as the benchmarks use it. CHROMIUM names another browser binary.
import { chromium } from "playwright-core";

/** A name that leads here and is no secure context: what a phone on the LAN sees. */
export const LAN = "carrete.lan";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  `--host-resolver-rules=MAP ${LAN} 127.0.0.1`,
];
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true, locale: "en-US" };

export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });

/** A page of a first visit, with its DevTools session. */
export async function visit(browser) {
  const context = await browser.newContext(PHONE);
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Network.enable");
  return { context, page, devtools };
}
