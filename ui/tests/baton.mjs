/** The running product as the pictures need it: `baton serve` on a data directory of its own, and its interface in Chromium. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

export const ROOT = join(import.meta.dirname, '../..');
/** A loaded machine takes its time; nothing is judged by it. */
const PATIENCE = 120_000;

/** Starts the program; answers where its interface opens, and how to send requests and to stop it. */
export async function startBaton() {
  const home = await mkdtemp(join(tmpdir(), 'baton-pictures-'));
  const program = process.env.BATON ?? join(ROOT, 'target/debug/baton');
  const child = spawn(program, ['serve', '--port', '0'], { env: { ...process.env, BATON_HOME: home }, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  const address = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`baton ended with ${code}: ${said}`)));
    child.stdout.on('data', (text) => {
      said += text;
      const found = /^interface: (\S+)$/m.exec(said);
      if (found !== null) resolve(found[1]);
    });
  });
  const stop = async () => {
    if (child.exitCode === null) {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    await rm(home, { recursive: true, force: true });
  };
  return { address, stop };
}

/** Opens a page of that size in a browser of its own. */
export async function openPage(viewport) {
  // Root may not use Chromium's own sandbox. Only this browser, which sees nothing but our own pages, goes without it.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args });
  const page = await browser.newPage({ viewport, reducedMotion: 'reduce' });
  page.setDefaultTimeout(PATIENCE);
  return { page, close: () => browser.close() };
}

/** Waits for the live picture on a page. */
export function liveViewOf(page) {
  /** The live picture is there and has come to rest: the same twice. */
  async function atRest() {
    const seen = () => page.evaluate(() => document.querySelector('canvas')?.toDataURL() ?? '');
    let last = '';
    for (;;) {
      const now = await seen();
      if (now.length > 5_000 && now === last) return;
      last = now;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
  /** Waits for what follows an input: the picture is another, and rests. */
  async function changed(act) {
    const before = await page.evaluate(() => document.querySelector('canvas').toDataURL());
    await act();
    await page.waitForFunction((was) => document.querySelector('canvas').toDataURL() !== was, before, { polling: 300 });
    await atRest();
  }
  return { atRest, changed };
}
