// Firefox, driven by WebDriver BiDi. FIREFOX names another browser binary.
import puppeteer from "puppeteer-core";

/** "Block Audio and Video" of its settings. */
const BLOCK_ALL = { "media.autoplay.default": 5, "media.autoplay.blocking_policy": 0 };

/** Puppeteer runs each script as if a person had just pressed something, and who pressed lets the page play. */
function asNobody(page) {
  const realms = Object.getPrototypeOf(page.mainFrame().mainRealm().realm);
  if (Object.hasOwn(realms, "callFunction")) return;
  const { callFunction } = realms;
  realms.callFunction = function (declaration, waits, options) {
    return callFunction.call(this, declaration, waits, { ...options, userActivation: false });
  };
}

/** `refuse`: nothing may play by itself, without sound neither. */
export async function open({ width, height }, { refuse = false } = {}) {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
    headless: true,
    defaultViewport: { width, height },
    extraPrefsFirefox: { "intl.accept_languages": "en", ...(refuse ? BLOCK_ALL : {}) },
  });
  const page = await browser.newPage();
  asNobody(page);
  let other;
  return {
    version: await browser.version(),
    goto: (url) => page.goto(url, { waitUntil: "load" }),
    run: (task, ...args) => page.evaluate(task, ...args),
    key: (key) => page.keyboard.press(key),
    type: (text) => page.keyboard.type(text),
    move: ({ x, y }) => page.mouse.move(x, y),
    press: ({ x, y }) => page.mouse.click(x, y),
    async wheel({ x, y }, deltaY) {
      await page.mouse.move(x, y);
      await page.mouse.wheel({ deltaY });
    },
    async drag(from, to) {
      await page.mouse.move(from.x, from.y);
      await page.mouse.down();
      await page.mouse.move(to.x, to.y, { steps: 12 });
      await page.mouse.up();
    },
    async hide() {
      other = await browser.newPage();
      await other.bringToFront();
    },
    async show() {
      await page.bringToFront();
      await other.close();
    },
    picture: (path) => page.screenshot({ path }),
    close: () => browser.close(),
  };
}
