/**
 * One sandbox in a real Chromium by WebRTC, in three ways: our viewer page, our viewer page where the channel for pictures
 * fails, and a player that knows only WHEP. Prints what was seen as JSON; exits 1 on the first thing that differs.
 *
 * `node tests/webrtc.mjs LINK LINK WHEP TOKEN`: each link opens once. tests/tests/product/whep.rs runs it.
 */
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { keepConnection, overTheConnection, pictureHash } from './webrtc-page.mjs';

const [link, otherLink, whep, token] = process.argv.slice(2);
assert.ok(token, 'say LINK LINK WHEP TOKEN');
/** Longer than any busy machine needs. */
const PATIENCE = 60_000;

const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args });
try {
  const ours = await opened(link);
  await ours.locator('body[data-picture="exact"]').waitFor();
  const hash = await atRest(ours);
  const chip = await ours.getByText(/^\d+ ms · exact · WebRTC$/).innerText();
  const seen = { hash, chip, ...(await ours.evaluate(overTheConnection)) };
  if (process.env.SCREENSHOT) await ours.screenshot({ path: process.env.SCREENSHOT });

  // Its page is of the runtime, so it may ask it.
  const foreign = await ours.evaluate(playWhep, { whep, token });

  const failing = await opened(otherLink);
  await failing.locator('body[data-picture="exact"]').waitFor();
  await failing.evaluate(() => window.channels.pictures.close());
  await failing.locator('body[data-picture="video"]').waitFor();
  const fallback = await failing.evaluate(() => ({
    shown: [...document.querySelectorAll('canvas, video')].find((one) => one.style.visibility === 'visible').localName,
    width: document.querySelector('video').videoWidth,
  }));
  console.log(JSON.stringify({ seen, foreign, fallback }));
} finally {
  await browser.close();
}

async function opened(address) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
  page.setDefaultTimeout(PATIENCE);
  await page.addInitScript(keepConnection);
  await page.addInitScript(() => {
    const create = RTCPeerConnection.prototype.createDataChannel;
    window.channels = {};
    RTCPeerConnection.prototype.createDataChannel = function (label, ...rest) {
      return (window.channels[label] = create.call(this, label, ...rest));
    };
  });
  const url = new URL(address);
  url.searchParams.set('transport', 'webrtc');
  await page.goto(url.href);
  await page.locator('body[data-state="live"][data-carrier="webrtc"]').waitFor();
  return page;
}

/** Waits until the picture has come to rest; returns what it is. */
async function atRest(page) {
  const deadline = Date.now() + PATIENCE;
  let last = null;
  while (Date.now() < deadline) {
    const now = await page.evaluate(pictureHash);
    if (now !== null && now === last) return now;
    last = now;
    await page.waitForTimeout(400);
  }
  throw new Error('the picture never rests');
}

/** A player as others write them: one track, no data channel. Returns what it played. */
async function playWhep({ whep, token }) {
  const connection = new RTCPeerConnection();
  connection.addTransceiver('video', { direction: 'recvonly' });
  const video = document.createElement('video');
  video.muted = true;
  // In the page, so that its frames are shown.
  document.body.append(video);
  connection.ontrack = ({ track }) => {
    video.srcObject = new MediaStream([track]);
    void video.play();
  };
  const played = new Promise((resolve) => video.requestVideoFrameCallback(resolve));
  await connection.setLocalDescription(await connection.createOffer());
  await new Promise((resolve) => {
    if (connection.iceGatheringState === 'complete') resolve();
    connection.onicegatheringstatechange = () => connection.iceGatheringState === 'complete' && resolve();
  });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/sdp' };
  const response = await fetch(whep, { method: 'POST', headers, body: connection.localDescription.sdp });
  await connection.setRemoteDescription({ type: 'answer', sdp: await response.text() });
  await played;
  const { videoWidth: width, videoHeight: height } = video;
  await fetch(new URL(response.headers.get('location'), whep), { method: 'DELETE', headers });
  connection.close();
  video.remove();
  return { status: response.status, width, height };
}
