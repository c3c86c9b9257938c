// Firefox, driven by WebDriver BiDi. FIREFOX names another browser binary.
import puppeteer from "puppeteer-core";

export async function open({ width, height }) {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
    headless: true,
    defaultViewport: { width, height },
    extraPrefsFirefox: { "intl.accept_languages": "en" },
  });
  const page = await browser.newPage();
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
    picture: (path) => page.screenshot({ path }),
    close: () => browser.close(),
  };
}
