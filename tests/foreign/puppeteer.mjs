// Puppeteer, connected to an address: node puppeteer.mjs ADDRESS SITE [TOKEN]
import puppeteer from 'puppeteer-core';
import { failure, walk } from './steps.mjs';

const [address, site, token] = process.argv.slice(2);
const headers = token ? { Authorization: `Bearer ${token}` } : undefined;
let browser, page, handle;

await walk({
  async connect() {
    browser = await puppeteer.connect({ browserWSEndpoint: address, headers });
    return { pages: (await browser.pages()).length, version: await browser.version() };
  },
  async drive() {
    page = await browser.newPage();
    await page.goto(`${site}/counter`);
    await page.locator('#button').click();
    await page.waitForFunction(() => count.textContent === '1');
    handle = await page.$('#count');
    const picture = await page.screenshot();
    return { title: await page.title(), count: await handle.evaluate((node) => node.textContent), picture: picture.length };
  },
  async held() {
    return {
      evaluate: await failure(page.evaluate(() => document.title)),
      screenshot: await failure(page.screenshot()),
      content: await failure(page.content()),
      goto: await failure(page.goto(`${site}/counter`)),
      connected: browser.connected,
    };
  },
  async back() {
    await page.locator('#button').click();
    await page.waitForFunction(() => count.textContent === '2');
    return { url: page.url(), title: await page.title(), count: await handle.evaluate((node) => node.textContent) };
  },
  async leave() {
    await page.close();
    await browser.disconnect();
    return true;
  },
});
