// agent-browser, connected to an address with a ticket: node agent-browser.mjs ADDRESS SITE
import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { walk } from './steps.mjs';

const [address, site] = process.argv.slice(2);
// Its daemon keeps its sockets at home: one of its own.
const home = mkdtempSync(join(tmpdir(), 'agent-browser-'));
const env = { ...process.env, HOME: home, XDG_RUNTIME_DIR: home };

/** Runs one command of it; answers what it said, and whether it failed. */
const run = (...words) =>
  new Promise((resolve) => {
    const options = { env, timeout: 60_000 };
    execFile('node', ['node_modules/agent-browser/bin/agent-browser.js', '--session', 'baton', '--json', ...words], options, (error, stdout) => {
      let told;
      try {
        told = JSON.parse(stdout);
      } catch {
        told = { success: false, error: stdout || String(error) };
      }
      resolve(told);
    });
  });

const count = () => run('eval', 'count.textContent');

await walk({
  connect: () => run('connect', address),
  async drive() {
    const opened = await run('open', `${site}/counter`);
    const seen = await run('snapshot');
    const clicked = await run('click', '#button');
    return { opened, seen, clicked, counted: await count() };
  },
  async held() {
    return { counted: await count(), navigated: await run('open', `${site}/counter`) };
  },
  async back() {
    const clicked = await run('click', '#button');
    return { clicked, counted: await count() };
  },
  leave: () => run('close'),
});
