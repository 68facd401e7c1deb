/**
 * A person who opened a viewer link: takes control, signs in to the demo portal with real keys, hands back. In a real
 * Chromium, against a real runtime, by WebRTC. Prints what was seen as JSON; exits 1 on the first thing that differs.
 *
 * `node tests/takeover.mjs URL E-MAIL PASSWORD CODE NOTE`; tests/tests/product/whep.rs runs it.
 */
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { keepConnection, overTheConnection, pictureHash } from './webrtc-page.mjs';

const [link, eMail, password, code, note] = process.argv.slice(2);
assert.ok(note, 'say URL E-MAIL PASSWORD CODE NOTE');
/** Longer than any busy machine needs. */
const PATIENCE = 60_000;

// Root may not use Chromium's own sandbox. Only this browser, which sees nothing but our own pages, goes without it.
const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
  page.setDefaultTimeout(PATIENCE);
  let sockets = 0;
  page.on('websocket', () => (sockets += 1));
  await page.addInitScript(keepConnection);

  // On one machine the page would choose the socket.
  const url = new URL(link);
  url.searchParams.set('transport', 'webrtc');
  await page.goto(url.href);
  await page.locator('body[data-state="live"][data-carrier="webrtc"]').waitFor();
  await page.getByText(/^Needs you: ./).waitFor();
  const asked = await pictureAfter(page, null);

  await page.keyboard.press('F9');
  await page.locator('body[data-driver="you"]').waitFor();
  await page.getByText('The agent cannot see or touch this.').waitFor();
  await page.keyboard.type(eMail);
  const named = await pictureAfter(page, asked);
  await page.keyboard.press('Tab');
  await page.keyboard.type(password);
  const filled = await pictureAfter(page, named);
  await page.keyboard.press('Enter');
  const codePage = await pictureAfter(page, filled);
  await page.keyboard.type(code);
  const withCode = await pictureAfter(page, codePage);
  await page.keyboard.press('Enter');
  await pictureAfter(page, withCode);

  await page.keyboard.press('F9');
  await page.getByRole('textbox', { name: /note for the agent/i }).waitFor();
  await page.keyboard.type(note);
  await page.keyboard.press('Enter');
  await page.locator('body:not([data-driver="you"])').waitFor({ state: 'attached' });
  console.log(JSON.stringify({ sockets, ...(await page.evaluate(overTheConnection)), screen: await screen(page) }));
} finally {
  await browser.close();
}

/** Waits until the picture is another one than `before` and has come to rest; returns what it is. */
async function pictureAfter(page, before) {
  const deadline = Date.now() + PATIENCE;
  let last = null;
  while (Date.now() < deadline) {
    const now = await page.evaluate(pictureHash);
    if (now !== null && now !== before && now === last) return now;
    last = now;
    await page.waitForTimeout(300);
  }
  throw new Error('the picture never changed');
}

async function screen(page) {
  return page.evaluate(() => {
    const { width, height } = document.querySelector('canvas');
    return { width, height, picture: document.body.dataset.picture };
  });
}
