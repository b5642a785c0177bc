// A page that is open while the workspace in FOLDER changes underneath. Usage: node changes.mjs URL FOLDER
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [base, folder] = process.argv.slice(2);
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
// As often as the page looks, in milliseconds.
const period = 15000;
const policy = join(folder, "policies", "custom", "underneath.cedar");

function expect(is, what) {
  if (!is) throw new Error(what);
}

// Lets the clock of the page run until a bar is shown or hidden: the server takes a moment to see what was written.
async function later(page, bar, state) {
  for (let look = 0; ; look += 1) {
    await page.clock.runFor(period);
    try {
      return await bar.waitFor({ state, timeout: 500 });
    } catch (error) {
      if (look === 100) throw error;
    }
  }
}

const browser = await chromium.launch({ executablePath, args });
try {
  const page = await browser.newPage();
  await page.clock.install();
  await page.goto(`${base}/who?action=runScript&resource=WS-TST-001`);
  const table = page.getByRole("table").first();
  const before = await table.innerText();
  const [newer, stale] = [page.locator("#newer"), page.locator("#stale")];
  expect((await newer.isHidden()) && (await stale.isHidden()), "nothing is told before anything changes");
  // Nobody may do anything: every answer is another.
  writeFileSync(policy, '@id("underneath")\n@doc("Nothing, to nobody.")\nforbid (principal, action, resource);\n');
  await later(page, newer, "visible");
  expect((await table.innerText()) === before, "the table stays");
  expect(await stale.isHidden(), "a new revision is nothing bad");
  writeFileSync(policy, "forbid (principal");
  await later(page, stale, "visible");
  expect((await stale.innerText()).includes("underneath.cedar"), "the red bar says what is wrong");
  expect((await table.innerText()) === before, "the table still stays");
  rmSync(policy);
  await later(page, stale, "hidden");
  await page.getByRole("link", { name: "Show the new one" }).focus();
  await page.keyboard.press("Enter");
  await page.waitForLoadState();
  expect((await page.getByRole("table").first().innerText()) === before, "what was is shown again");
  expect(await page.locator("#newer").isHidden(), "and nothing is newer");
} finally {
  await browser.close();
}
console.log("what changes underneath is told, and swaps nothing");
