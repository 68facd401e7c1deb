// Playwright, connected over CDP: node playwright.mjs ADDRESS SITE [TOKEN]
import { chromium } from 'playwright-core';
import { failure, walk } from './steps.mjs';

const [address, site, token] = process.argv.slice(2);
const headers = token ? { Authorization: `Bearer ${token}` } : undefined;
let browser, page, handle, requests = 0, popup;

await walk({
  async connect() {
    browser = await chromium.connectOverCDP(address, { headers });
    const [context] = browser.contexts();
    page = context.pages()[0] ?? (await context.newPage());
    return { contexts: browser.contexts().length, pages: context.pages().length, version: browser.version() };
  },
  async drive() {
    await page.goto(`${site}/counter`);
    await page.getByRole('button', { name: 'Count' }).click();
    await page.getByLabel('Note').fill('by playwright');
    handle = await page.locator('#count').elementHandle();
    const picture = await page.screenshot();
    const evaluated = await page.evaluate(() => document.title + ' ' + note.value);
    return { title: await page.title(), count: await handle.textContent(), evaluated, picture: picture.length };
  },
  /** Lays what would be in a person's way: intercepted requests and file choosers, another size. */
  async lay() {
    await page.route('**/asked*', (route) => {
      requests += 1;
      return route.fulfill({ body: 'from playwright' });
    });
    page.on('filechooser', () => {});
    const session = await page.context().newCDPSession(page);
    await session.send('Emulation.setDeviceMetricsOverride', {
      width: 500, height: 400, deviceScaleFactor: 1, mobile: false,
    });
    return page.evaluate(async () => `${innerWidth} ${await (await fetch('/asked')).text()}`);
  },
  /** What is tried while a person holds control. */
  async held() {
    return {
      evaluate: await failure(page.evaluate(() => document.title)),
      screenshot: await failure(page.screenshot({ timeout: 3000 })),
      click: await failure(page.click('#button', { timeout: 1500 })),
      goto: await failure(page.goto(`${site}/counter`)),
      cookies: await failure(page.context().cookies()),
      connected: browser.isConnected(),
    };
  },
  /** The same page objects, after the hand-back. */
  async back() {
    return { url: page.url(), title: await page.title(), count: await failure(handle.textContent()),
      text: await page.locator('#count').textContent(), requests, connected: browser.isConnected() };
  },
  /** The same handle too, where the document is still the same. */
  async same() {
    await page.getByRole('button', { name: 'Count' }).click();
    return { count: await handle.textContent(), requests };
  },
  async popups() {
    popup = page.context().pages().find((other) => other.url().endsWith('/other'));
    return { pages: page.context().pages().length, popup: await popup.title() };
  },
  async newContext() {
    const context = await browser.newContext();
    const own = await context.newPage();
    await own.goto(`${site}/counter`);
    const title = await own.title();
    await context.close();
    return { title };
  },
  async download() {
    await page.goto(`${site}/download`);
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('a')]);
    return { name: download.suggestedFilename() };
  },
  async leave() {
    await browser.close();
    return true;
  },
});
