/**
 * A person who opened a viewer link: takes control, signs in to the demo portal with real keys, hands back. In a real
 * Chromium, against a real runtime, by WebRTC. Prints what was seen as JSON; exits 1 on the first thing that differs.
 *
 * `node tests/takeover.mjs URL E-MAIL PASSWORD CODE NOTE`; tests/tests/product/whep.rs runs it.
 */
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

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
  // Kept to ask the browser itself what came over the connection.
  await page.addInitScript(() => {
    const Real = RTCPeerConnection;
    window.RTCPeerConnection = class extends Real {
      constructor(...settings) {
        super(...settings);
        window.connection = this;
      }
    };
  });

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
  console.log(JSON.stringify({ sockets, ...(await overTheConnection(page)), screen: await screen(page) }));
} finally {
  await browser.close();
}

/** Waits until the video shows something else than `before` and has come to rest; returns what it shows. */
async function pictureAfter(page, before) {
  const deadline = Date.now() + PATIENCE;
  let last = null;
  while (Date.now() < deadline) {
    const now = await page.evaluate(() => {
      const video = document.querySelector('video');
      if (!video?.videoWidth) return null;
      const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
      const context = canvas.getContext('2d');
      context.drawImage(video, 0, 0);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      let hash = 7;
      for (let at = 0; at < data.length; at += 4) hash = (Math.imul(hash, 31) + ((data[at] << 16) | (data[at + 1] << 8) | data[at + 2])) | 0;
      return hash;
    });
    if (now !== null && now !== before && now === last) return now;
    last = now;
    await page.waitForTimeout(300);
  }
  throw new Error('the picture never changed');
}

async function screen(page) {
  return page.evaluate(() => {
    const { videoWidth: width, videoHeight: height } = document.querySelector('video');
    return { width, height };
  });
}

/** What the browser itself says of the connection. */
async function overTheConnection(page) {
  return page.evaluate(async () => {
    const all = [...(await window.connection.getStats()).values()];
    const video = all.find((report) => report.type === 'inbound-rtp' && report.kind === 'video');
    const words = all.find((report) => report.type === 'data-channel');
    return {
      state: window.connection.connectionState,
      codec: all.find((report) => report.id === video?.codecId)?.mimeType,
      framesDecoded: video?.framesDecoded ?? 0,
      channel: words?.label,
      wordsSent: words?.messagesSent ?? 0,
    };
  });
}
