// The pulse: what open pages measure reaches the operator as sums.
import { plays, rests } from "./probe";
import { expect, swipe, test } from "./actions";

test("swipes and the opening reach /metrics and /pulse, and say of nobody who it was", async ({ page, guest, serve }) => {
  const server = await serve(["clip_0", "clip_1", "clip_2"]);
  const visitor = await guest();
  await visitor.goto(server.url);
  await plays(visitor, "clip_0");
  for (const channel of ["clip_1", "clip_2"]) {
    await swipe(visitor);
    await plays(visitor, channel);
    await rests(visitor);
  }
  // Leaving tells what was measured.
  await visitor.close();
  const number = async (name: string) => {
    const text = await (await page.request.get(`${server.url}/metrics`)).text();
    return Number(new RegExp(`^${name} (.+)$`, "m").exec(text)?.[1] ?? NaN);
  };
  await expect.poll(() => number("carrete_swipe_seconds_count")).toBe(2);
  expect(await number("carrete_cold_open_seconds_count")).toBe(1);
  expect(await (await page.request.get(`${server.url}/metrics`)).text()).not.toContain("clip_");

  await page.goto(`${server.url}/pulse`);
  const main = page.getByRole("main");
  await expect(main).not.toContainText("clip_");
  const watching = main.locator("dl.numbers > div").last().locator("b");
  await expect(watching).toHaveText("0");
  // The open page looks again by itself.
  const other = await guest();
  await other.goto(server.url);
  await plays(other, "clip_0");
  await expect(watching).toHaveText("1");
});
