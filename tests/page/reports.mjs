// Reports of HTML in Chromium: axe, the policy of each, the time until it is shown, and pictures in light, dark, high
// contrast, narrow and on paper. Usage: node reports.mjs FOLDER REPORT...; the pictures are written into the folder.
import { mkdirSync } from "node:fs";
import { basename, resolve } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";

const [folder, ...reports] = process.argv.slice(2);
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const windows = {
  light: { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  contrast: { viewport: { width: 1280, height: 800 }, forcedColors: "active" },
  narrow: { viewport: { width: 320, height: 640 }, colorScheme: "light" },
};
const faults = [];
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath, args });
for (const report of reports) {
  const name = basename(report, ".html");
  for (const [window, options] of Object.entries(windows)) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.on("console", (message) => {
      if (message.type() === "error") faults.push(`${name} ${window}: ${message.text()}`);
    });
    page.on("pageerror", (error) => faults.push(`${name} ${window}: ${error}`));
    page.on("request", (request) => {
      if (!request.url().startsWith("file:")) faults.push(`${name} ${window}: asks ${request.url()}`);
    });
    const start = performance.now();
    await page.goto(`file://${resolve(report)}`, { waitUntil: "load" });
    const shown = await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))).then(() => document.querySelectorAll("*").length));
    console.log(`${name} ${window}: ${Math.round(performance.now() - start)} ms, ${shown} elements`);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width > options.viewport.width) faults.push(`${name} ${window}: ${width} pixels wide`);
    if (shown < 20_000) {
      const { violations } = await new AxeBuilder({ page }).analyze();
      for (const of of violations) faults.push(`${name} ${window}: ${of.id}: ${of.nodes.slice(0, 3).map((node) => node.target).join(" ")}`);
    }
    await page.screenshot({ path: `${folder}/${name}-${window}.png` });
    await page.screenshot({ path: `${folder}/${name}-${window}-whole.png`, fullPage: shown < 20_000 });
    await context.close();
  }
  const page = await browser.newPage();
  await page.goto(`file://${resolve(report)}`);
  await page.pdf({ path: `${folder}/${name}.pdf`, format: "A4" });
  await page.close();
}
await browser.close();
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
