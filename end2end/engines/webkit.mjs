// WebKit, the engine of Safari, as WebKitGTK has it: its MiniBrowser on a screen of its own, driven by WebDriver.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { Builder, Capabilities, Key, Origin } from "selenium-webdriver";

const DRIVER = "/usr/bin/WebKitWebDriver";
const BROWSER = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser";
const KEYS = { ArrowDown: Key.ARROW_DOWN, ArrowUp: Key.ARROW_UP, Enter: Key.ENTER, Tab: Key.TAB };
const START_MS = 15_000;
const QUIT_MS = 5_000;

/** `refuse`: nothing may play by itself, without sound neither, as on an iPhone that saves power. */
export async function open({ width, height }, { refuse = false } = {}) {
  const started = [];
  const orphaned = () => started.forEach((child) => child.kill("SIGKILL"));
  process.once("exit", orphaned);
  const end = async () => {
    process.off("exit", orphaned);
    for (const child of started.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
    }
  };
  try {
    const screen = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", `${width + 200}x${height + 200}x24`, "-nolisten", "tcp"], {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    started.push(screen);
    const display = await heard(screen, screen.stdio[3], "Xvfb");
    // Nobody sees a window that is minimised, and only a window manager can do that.
    const manager = spawn("openbox", ["--sm-disable"], { stdio: "ignore", env: { ...process.env, DISPLAY: `:${display}` } });
    started.push(manager);
    const port = await freePort();
    const driver = spawn(DRIVER, [`--port=${port}`, "--host=127.0.0.1"], {
      stdio: ["ignore", "ignore", "ignore"],
      // The sandbox of WebKit wants user namespaces, which containers seldom have.
      env: { ...process.env, DISPLAY: `:${display}`, LANG: "C.UTF-8", WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1" },
    });
    started.push(driver);
    const server = `http://127.0.0.1:${port}`;
    await answers(driver, `${server}/status`);
    return await drive(server, { width, height }, refuse ? ["--autoplay-policy=deny"] : [], end);
  } catch (error) {
    await end();
    throw error;
  }
}

async function drive(server, { width, height }, policy, end) {
  const wanted = new Capabilities({
    browserName: "MiniBrowser",
    "webkitgtk:browserOptions": { binary: BROWSER, args: ["--automation", ...policy] },
  });
  const driver = await new Builder().usingServer(server).withCapabilities(wanted).build();
  // A page that hangs does not answer when it is told to go: then its processes are ended.
  const close = async () => {
    await Promise.race([driver.quit(), sleep(QUIT_MS, undefined, { ref: false })]).catch(() => {});
    await end();
  };
  const at = ({ x, y }) => ({ x: Math.round(x), y: Math.round(y), origin: Origin.VIEWPORT, duration: 0 });
  // The window has a bar of its own: it grows by what the page lacks.
  const window = driver.manage().window();
  await window.setRect({ x: 0, y: 0, width, height });
  const inner = await driver.executeScript("return [innerWidth, innerHeight]");
  const seen = { x: 0, y: 0, width: 2 * width - inner[0], height: 2 * height - inner[1] };
  await window.setRect(seen);
  let turned = 0;
  const capabilities = await driver.getCapabilities();
  return {
    version: `WebKitGTK ${capabilities.getBrowserVersion()}`,
    goto: (url) => driver.get(url),
    run: (task, ...args) => driver.executeScript(`return (${task})(...arguments)`, ...args),
    key: (key) => driver.actions({ async: true }).sendKeys(KEYS[key] ?? key).perform(),
    type: (text) => driver.actions({ async: true }).sendKeys(text).perform(),
    move: (point) => driver.actions({ async: true }).move(at(point)).perform(),
    press: (point) => driver.actions({ async: true }).move(at(point)).press().release().perform(),
    wheel({ x, y }, deltaY) {
      // This driver turns the wheel by the difference from where it was left.
      turned += deltaY;
      return driver.actions({ async: true }).scroll(Math.round(x), Math.round(y), 0, turned, Origin.VIEWPORT).perform();
    },
    drag(from, to) {
      const moves = driver.actions({ async: true }).move(at(from)).press();
      const steps = 12;
      for (let n = 1; n <= steps; n++) {
        const part = n / steps;
        moves.move({ ...at({ x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part }), duration: 12 });
      }
      return moves.release().perform();
    },
    hide: () => window.minimize(),
    show: () => window.setRect(seen),
    picture: async (path) => writeFileSync(path, await driver.takeScreenshot(), "base64"),
    close,
  };
}

/** The first line that a child writes to this pipe. */
function heard(child, pipe, name) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${name} did not start within ${START_MS / 1000} s`)), START_MS);
    const fail = (why) => {
      clearTimeout(late);
      reject(new Error(`${name} did not start: ${why}`));
    };
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code) => fail(`it ended with ${code}`));
    pipe.once("data", (line) => {
      clearTimeout(late);
      resolve(String(line).trim());
    });
  });
}

async function answers(child, url) {
  let failure;
  child.once("error", (error) => (failure = error));
  for (const until = Date.now() + START_MS; Date.now() < until; await sleep(50)) {
    if (failure) throw failure;
    if (child.exitCode !== null) throw new Error(`${DRIVER} ended with ${child.exitCode}`);
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
  }
  throw new Error(`${DRIVER} did not answer within ${START_MS / 1000} s`);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
