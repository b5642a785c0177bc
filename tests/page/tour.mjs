// A tour through the page in Chromium: the journey of a help desk by keyboard, every view under a strict policy and under
// axe, and pictures of all of them. Usage: node tour.mjs URL [FOLDER]; with a folder, pictures are written into it.
import { mkdirSync } from "node:fs";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";

const [base, pictures] = process.argv.slice(2);
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const change = "enforce-configmgr-rbac=P01%3Doff";
const views = {
  overview: "/",
  who: "/who?action=runScript&resource=WS-TST-001&may-not=on",
  what: "/what?principal=ada%40contoso.example",
  "why-refused": "/why?principal=ada%40contoso.example&action=viewClientDetails&resource=WS-BER-014",
  "why-allowed": "/why?principal=ada%40contoso.example&action=runScript&resource=WS-TST-001",
  "what-if": "/what-if",
  "what-if-lost": `/what-if?${change}&tab=lost`,
  "what-if-first": `/what-if?${change}&tab=first`,
  "what-if-plan": `/what-if?${change}&plan=on&tab=plan`,
  access: "/access",
  "access-people": "/access?tab=people",
  roles: "/roles",
  find: "/find?q=ws",
};
const windows = {
  light: { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  narrow: { viewport: { width: 320, height: 640 }, colorScheme: "light" },
};
const faults = [];

function expect(is, what) {
  if (!is) throw new Error(what);
}

async function open(browser, options) {
  const context = await browser.newContext({ acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (/Content.Security.Policy|violat/i.test(message.text())) faults.push(`policy: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`script: ${error}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith("data:")) faults.push(`elsewhere: ${request.url()}`);
  });
  return page;
}

/** Moves on with Tab, as somebody does who has no mouse, until an element has the focus. */
async function reach(page, target) {
  await target.waitFor({ timeout: 60000 });
  for (let step = 0; step < 400; step++) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not lead to ${target}`);
}

/** Reaches an element, and presses Enter there. */
async function enter(page, target) {
  await reach(page, target);
  await page.keyboard.press("Enter");
}

/** Reaches a choice, and goes down in it until it has a value. */
async function choose(page, target, value) {
  await reach(page, target);
  for (let step = 0; step < 100 && (await target.inputValue()) !== value; step++) await page.keyboard.press("ArrowDown");
  expect((await target.inputValue()) === value, `${value} is chosen`);
}

/** The journey: search Ada, why not, try the fix, what if, plan, download; with keys alone. */
async function journey(browser) {
  const page = await open(browser, windows.light);
  const link = (name) => page.getByRole("link", { name }).first();
  await page.goto(`${base}/`);
  await page.keyboard.press("Tab");
  expect((await page.evaluate(() => document.activeElement?.className)) === "skip", "the first stop skips to the content");
  await reach(page, page.getByRole("combobox", { name: /^Search/ }));
  await page.keyboard.type("ada");
  await page.getByRole("option").first().waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForURL(/find/);
  await enter(page, link(/Why, or why not/));
  await page.waitForURL(/why/);
  await choose(page, page.getByLabel("Permission", { exact: true }), "viewClientDetails");
  const device = page.getByRole("combobox", { name: "Device or tenant" });
  await reach(page, device);
  await page.keyboard.type("ber-014");
  await page.getByRole("option", { name: /WS-BER-014/ }).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  expect((await device.inputValue()) === "WS-BER-014", "the device is taken");
  await page.keyboard.press("Enter");
  await page.waitForURL(/resource=/);
  await page.getByText("Refused", { exact: true }).first().waitFor();
  await enter(page, link(/^Try it/));
  await page.waitForURL(/what-if/);
  await page.getByRole("navigation", { name: "Parts of the result" }).waitFor({ timeout: 60000 });
  await enter(page, page.locator("summary", { hasText: "Change the question" }));
  await enter(page, link("Clear"));
  await page.waitForURL(/what-if$/);
  await choose(page, page.getByLabel(/Enforce Configuration Manager RBAC is selected for P01/), "off");
  await enter(page, page.getByRole("button", { name: "What If" }));
  await page.waitForURL(new RegExp(change));
  await enter(page, link(/^Plan/));
  const file = link(/^Download/);
  await reach(page, file);
  const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
  expect(download.suggestedFilename().endsWith(".cedar"), "a file of policies is saved");
  await page.context().close();
}

/** Every view in a window: nothing that axe finds, no overflow to the side. */
async function look(browser, name, options) {
  const page = await open(browser, options);
  for (const [view, path] of Object.entries(views)) {
    await page.goto(`${base}${path}`);
    if (path.includes(change)) await page.getByRole("navigation", { name: "Parts of the result" }).waitFor({ timeout: 60000 });
    const axe = new AxeBuilder({ page });
    // What is dark differs in nothing but colours.
    const found = await (options.colorScheme === "dark" ? axe.withRules("color-contrast") : axe).analyze();
    for (const { id, nodes } of found.violations) faults.push(`axe, ${view}, ${name}: ${id}: ${nodes.map((node) => node.html).slice(0, 2).join(" ")}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) faults.push(`wide, ${view}, ${name}: ${wide} pixels`);
    if (pictures !== undefined) await page.screenshot({ path: `${pictures}/${view}-${name}.png`, fullPage: true });
  }
  await page.context().close();
}

/** Without a script, the views still answer. */
async function plain(browser) {
  const page = await open(browser, { ...windows.light, javaScriptEnabled: false });
  await page.goto(`${base}/who`);
  await page.getByLabel("Permission", { exact: true }).selectOption("runScript");
  await page.getByLabel("Device or tenant", { exact: true }).fill("WS-TST-001");
  await page.getByRole("button", { name: "Show" }).click();
  await page.getByRole("table").first().waitFor();
  await page.goto(`${base}/what-if`);
  await page.getByLabel(/Enforce Configuration Manager RBAC is selected for P01/).selectOption("off");
  await page.getByRole("button", { name: "What If" }).click();
  await page.waitForURL(new RegExp(change));
  await page.getByRole("navigation", { name: "Parts of the result" }).waitFor({ timeout: 60000 });
  await page.context().close();
}

if (pictures !== undefined) mkdirSync(pictures, { recursive: true });
const browser = await chromium.launch({ executablePath, args });
try {
  await journey(browser);
  await plain(browser);
  for (const [name, options] of Object.entries(windows)) await look(browser, name, options);
} finally {
  await browser.close();
}
if (faults.length > 0) {
  console.error([...new Set(faults)].join("\n"));
  process.exit(1);
}
console.log("the tour is over, and nothing is wrong");
