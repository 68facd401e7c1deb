// What Playwright finds in a Chromium of its own, over CDP: node parity.mjs ADDRESS SITE TOKEN
import { readFile, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { failure, walk } from './steps.mjs';

const [address, site, token] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}` };
let browser, context, page;

/** Clicks a link to a file; tells what came of it. */
async function take(from, path) {
  await from.goto(`${site}/start`);
  const link = (to) => {
    const a = document.createElement('a');
    a.href = to;
    document.body.append(a);
    a.click();
  };
  const [download] = await Promise.all([from.waitForEvent('download'), from.evaluate(link, path)]);
  const failed = await download.failure();
  if (failed) return { failure: failed };
  const copy = join(await mkdtemp(join(tmpdir(), 'parity-')), 'copy');
  await download.saveAs(copy);
  return {
    name: download.suggestedFilename(),
    content: await readFile(await download.path(), 'utf8'),
    saved: await readFile(copy, 'utf8'),
  };
}

await walk({
  async connect() {
    browser = await chromium.connectOverCDP(address, { headers });
    [context] = browser.contexts();
    page = context.pages()[0] ?? (await context.newPage());
    return true;
  },
  async popup() {
    const own = await browser.newContext();
    await own.addInitScript(() => { window.fromInit = 'scripted'; });
    let routed = false;
    await own.route('**/popup', (route) => {
      routed = true;
      return route.fulfill({ contentType: 'text/html', body: '<title>Routed</title>' });
    });
    const opener = await own.newPage();
    await opener.goto(`${site}/start`);
    const [popup] = await Promise.all([opener.waitForEvent('popup'), opener.click('button')]);
    await popup.waitForLoadState();
    const told = { routed, init: await popup.evaluate(() => window.fromInit), title: await popup.title() };
    await own.close();
    return told;
  },
  async popupDialog() {
    await page.goto(`${site}/start`);
    const said = new Promise((tell) => context.once('dialog', async (dialog) => {
      await dialog.accept();
      tell(dialog.message());
    }));
    const after = await page.evaluate(() => {
      const win = open('');
      win.alert('from the opener');
      win.close();
      return 'done';
    });
    return { said: await said, after };
  },
  download: () => take(page, '/file.csv'),
  downloadLong: () => take(page, '/long.csv'),
  async downloadInContext() {
    const own = await browser.newContext();
    const told = await take(await own.newPage(), '/file.csv');
    await own.close();
    return told;
  },
  async downloadDenied() {
    const own = await browser.newContext({ acceptDownloads: false });
    const told = await take(await own.newPage(), '/file.csv');
    await own.close();
    return told;
  },
  async headers() {
    const response = await page.goto(`${site}/headers`);
    const sent = await response.request().allHeaders();
    return { told: sent.connection, proxy: sent['proxy-connection'] ?? null, seen: await response.text() };
  },
  async reloadBlank() {
    await page.goto('about:blank');
    await page.reload();
    return page.url();
  },
  async notifications() {
    await page.goto(`${site}/start`);
    // Plain http on a loopback address counts as secure.
    return page.evaluate(() => Notification.permission);
  },
  ignoreHttps: () => failure((async () => (await browser.newContext({ ignoreHTTPSErrors: true })).newPage())()),
  async leave() {
    await browser.close();
    return true;
  },
});
