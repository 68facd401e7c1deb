/**
 * Runs axe over every state, made up here, in both themes and three sizes. Exits 1 on a finding. The pictures it keeps are
 * for whoever looks into one; those of the documentation are of the running product (`product.mjs`).
 *
 * `node tests/pictures.mjs [--only STATE,…] [--size 1440x900,…] [--theme dark] [--out DIR]`, after `npm run build`.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { startRuntime } from './runtime.mjs';
import { NOW } from './world.mjs';

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? fallback : process.argv[at + 1];
};
const OUT = option('out', join(import.meta.dirname, '../../tests/ui/output'));
const SIZES = option('size', '1440x900,1024x700,1920x1080').split(',').map((size) => size.split('x').map(Number));
const THEMES = option('theme', 'light,dark').split(',');

const press = (key) => async (page) => {
  await page.keyboard.press(key);
};
const take = async (page) => {
  await page.getByRole('button', { name: /^Take control/ }).click();
  await page.getByText('You are driving', { exact: true }).first().waitFor();
};
/** What to do in each state before its picture, and what must be seen. */
const STATES = {
  nothing: { sees: 'This machine is ready' },
  missing: { sees: 'One thing is missing' },
  starting: { sees: 'Rooms isolated' },
  agent: { sees: 'The agent is driving' },
  needs: { sees: 'Needs you: sign in to portal.example' },
  unsaved: { sees: 'No sign-in is saved for portal.example' },
  approval: { sees: 'Pay € 120.00 at portal.example?' },
  handing: { act: (page) => page.getByRole('button', { name: /^Take control/ }).click(), sees: 'Handing over…' },
  you: { act: take, sees: 'The agent cannot see or touch this.' },
  secret: { act: async (page) => { await take(page); await page.getByRole('button', { name: 'Type a secret…' }).click(); await page.keyboard.type('correct horse'); }, sees: 'Goes where the cursor is' },
  note: { act: async (page) => { await take(page); await press('F9')(page); await page.keyboard.type('The code went to my phone'); }, sees: 'Hand back?' },
  receipt: { act: async (page) => { await take(page); await press('F9')(page); await page.keyboard.type('The code went to my phone'); await press('Enter')(page); }, sees: 'What changed while you drove' },
  keep: { act: async (page) => { await take(page); await press('F9')(page); await press('Enter')(page); }, sees: 'Keep this sign-in for portal.example?' },
  ended: { sees: 'Done: report.md and 2 more' },
  stopped: { sees: 'its browser starts again when it is used' },
  failed: { sees: 'It failed' },
  broken: { sees: 'It failed' },
  lost: { act: async (_page, runtime) => runtime.cutStreams(), sees: 'The picture stopped' },
  story: { state: 'ended', act: async (page) => { await openSide(page); await page.getByText('small steps').click(); }, sees: 'Scrolled' },
  network: { state: 'ended', act: async (page) => { await openSide(page); await page.getByRole('button', { name: 'Network', exact: true }).click(); }, sees: 'tracker.example' },
  files: { state: 'ended', act: async (page, runtime) => { await openSide(page); await page.getByRole('tab', { name: /Files/ }).click(); await page.getByText('report.md', { exact: true }).waitFor(); runtime.touch('report.md'); await page.getByText('changed', { exact: true }).first().waitFor({ state: 'attached' }); }, sees: 'invoices.csv' },
  markdown: { state: 'ended', act: async (page) => { await openSide(page); await page.getByRole('tab', { name: /Files/ }).click(); await page.getByText('report.md', { exact: true }).click(); }, sees: 'October 2026' },
  table: { state: 'ended', act: async (page) => { await openSide(page); await page.getByRole('tab', { name: /Files/ }).click(); await page.getByText('invoices.csv', { exact: true }).click(); }, sees: 'Weber, Sohn' },
  outputs: { state: 'ended', act: async (page) => { await openSide(page); await page.getByRole('tab', { name: /Outputs/ }).click(); }, sees: 'Made by' },
  prompted: { act: openSide, sees: 'You: ' },
  newTaskWords: { state: 'prompted', act: async (page) => { await press('Control+n')(page); await page.getByLabel('What is to be done').fill('Find the October invoice and save it as a PDF'); }, sees: 'More: model, limits' },
  newTaskMore: { state: 'prompted', act: async (page) => { await press('Control+n')(page); await page.getByText(/^More: /).click(); }, sees: 'Where it may go' },
  complete: { state: 'agent', act: async (page) => { await press('Control+n')(page); await page.getByRole('radio', { name: 'As steps' }).click(); await page.getByLabel('Steps', { exact: true }).fill('name: Try\nsteps:\n  - '); await page.keyboard.press('Control+Space'); }, sees: 'Ask a person, and wait until they hand back' },
  newTask: { state: 'agent', act: async (page) => { await press('Control+n')(page); await page.getByRole('radio', { name: 'As steps' }).click(); await page.getByText('Look something up').waitFor(); }, sees: 'Runs without a network' },
  newTaskWrong: {
    state: 'ended',
    act: async (page) => {
      await page.getByText('New task').first().click();
      await page.getByRole('radio', { name: 'As steps' }).click();
      await page.getByLabel('Steps', { exact: true }).fill('name: Try\nsteps:\n  - navigate: https://example.org\n  - clik: { text: "Go" }\n');
      await page.getByRole('button', { name: /^Start$|^Start / }).click();
    },
    sees: 'Line 4, column 5',
  },
  search: { state: 'agent', act: async (page) => { await press('Control+k')(page); await page.keyboard.type('sign'); }, sees: 'In the history' },
  found: { state: 'ended', act: async (page) => { await press('Control+k')(page); await page.keyboard.type('weber'); await page.getByRole('option', { name: /Weber/ }).click(); }, sees: 'Weber, Sohn' },
  commands: { state: 'agent', act: async (page) => { await press('Control+k')(page); await page.keyboard.type('>th'); }, sees: 'Dark theme' },
  shortcuts: { state: 'agent', act: press('?'), sees: 'In the list of work' },
  jobMenu: { state: 'ended', act: async (page) => { await page.getByRole('navigation', { name: 'Work' }).getByRole('button', { name: /^Price watch/ }).first().click({ button: 'right' }); }, sees: 'Duplicate…' },
  chosen: { state: 'agent', act: async (page) => { for (const name of [/^Customs form/, /^Weekly digest/]) await page.getByRole('button', { name }).click({ modifiers: ['Control'] }); await page.getByRole('button', { name: /^Compare/ }).click({ modifiers: ['Control'] }); }, sees: 'chosen' },
  filter: { state: 'agent', act: async (page) => { await page.getByRole('button', { name: 'Filter and sort' }).click(); await page.getByRole('menuitemradio', { name: 'Failed' }).press('Enter'); }, sees: 'Price watch' },
  mine: { state: 'ended', act: async (page) => { await openSide(page); await page.getByRole('button', { name: 'Mine', exact: true }).click(); }, sees: 'The agent did not see this.' },
  settings: { state: 'agent', act: press('Control+,'), sees: 'As the system' },
  settingsFound: { state: 'agent', act: async (page) => { await press('Control+,')(page); await page.getByLabel('Find a setting').fill('data'); }, sees: '/home/ada' },
  machine: { state: 'agent', act: async (page) => { await press('Control+,')(page); await page.getByRole('button', { name: 'This computer' }).click(); }, sees: 'This machine is ready' },
  setup: { state: 'setup', act: async (page) => { await press('Control+,')(page); await page.getByRole('button', { name: 'Check my setup' }).click(); }, sees: 'Copy the report' },
  demoEnded: { sees: 'What you just saw' },
  models: { state: 'agent', act: async (page) => { await press('Control+,')(page); await page.getByRole('button', { name: 'Models', exact: true }).click(); await page.getByRole('button', { name: 'Change', exact: true }).click(); }, sees: 'Save the model' },
  signIns: { state: 'agent', act: async (page) => { await press('Control+,')(page); await page.getByRole('button', { name: 'Sign-ins', exact: true }).click(); }, sees: 'API_TOKEN' },
  passwordManager: { state: 'agent', act: async (page) => { await press('Control+,')(page); await page.getByRole('button', { name: 'Sign-ins', exact: true }).click(); await page.getByRole('button', { name: 'Unlock', exact: true }).click(); await page.getByRole('button', { name: 'Unlock Bitwarden' }).waitFor(); }, sees: 'Master password' },
  vaultSecret: { state: 'agent', act: async (page) => { await press('Control+,')(page); await page.getByRole('button', { name: 'Sign-ins', exact: true }).click(); const list = page.getByRole('region', { name: 'Secrets for commands' }); await list.getByRole('button', { name: 'Change' }).first().click(); await list.getByRole('button', { name: 'Delete SIGNING_KEY' }).click(); }, sees: 'Delete for good' },
  step: { state: 'agent', act: async (page) => { await openSide(page); await page.getByRole('img', { name: /^The page after/ }).first().waitFor(); }, sees: 'Invoices' },
  wall: { state: 'agent', act: async (page) => { await press('F6')(page); await page.getByRole('main', { name: 'Wall' }).getByRole('listitem').first().waitFor(); }, sees: 'Everything that runs' },
  folded: { state: 'agent', act: press('Control+b'), sees: 'The agent is driving' },
  zoomed: { state: 'agent', act: async (page) => { await press('Control+1')(page); await press('Control+=')(page); }, sees: '110 %' },
  asked: { state: 'you', act: async (page, runtime) => { await take(page); runtime.askFor('Ann'); }, sees: 'Ann asks for control' },
  menu: { state: 'agent', act: async (page) => { await page.getByRole('button', { name: 'More' }).click(); }, sees: 'End the sandbox…' },
  end: { state: 'agent', act: async (page) => { await page.getByRole('button', { name: 'More' }).click(); await page.getByText('End the sandbox…').click(); }, sees: 'End this sandbox?' },
};

async function openSide(page) {
  const button = page.getByRole('button', { name: 'Story, files and outputs' });
  if ((await button.getAttribute('aria-pressed')) !== 'true') await button.click();
}

// Root may not use Chromium's own sandbox. Only this browser, which sees nothing but our own pages, goes without it.
const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args });
const axe = await readFile(join(import.meta.dirname, '../node_modules/axe-core/axe.min.js'), 'utf8');
const runtime = await startRuntime(await sandboxScreens());
await mkdir(OUT, { recursive: true });
const only = option('only', Object.keys(STATES).join(',')).split(',');
let findings = 0;

for (const [width, height] of SIZES) {
  for (const theme of THEMES) {
    for (const name of only) {
      const { state = name, act, sees } = STATES[name];
      runtime.show(state);
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: theme,
        timezoneId: 'Europe/Berlin',
        reducedMotion: 'reduce',
        bypassCSP: false,
      });
      const page = await context.newPage();
      const complaints = [];
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(String(error.stack ?? error)));
      await page.clock.setFixedTime(NOW);
      try {
        await page.goto(`${runtime.url}/#ticket=one`);
        await page.getByText(state === 'nothing' || state === 'missing' ? 'Check again' : 'New task').first().waitFor();
        if (runtime.main !== null) await page.getByRole('button', { name: runtime.main }).first().click({ position: { x: 40, y: 10 } });
        await page.waitForTimeout(250);
        await act?.(page, runtime);
        await page.getByText(sees).first().waitFor({ timeout: 5_000 });
        await page.waitForTimeout(250);
      } catch (error) {
        findings += 1;
        console.log(`${name} ${theme} ${width}: ${String(error.message).split('\n')[0]}`);
      }
      await page.screenshot({ path: join(OUT, `${name}-${theme}-${width}.png`) });
      if (page.url().includes('ticket')) complaints.push('the ticket is still in the address');
      if (width < 1900) {
        await page.evaluate(`${axe}; undefined`).catch((error) => complaints.push(String(error)));
        const found = await page.evaluate(() => // The suggestions of the editor are moved through by its own keys, as those of a combobox.
          axe.run({ exclude: ['.cm-tooltip-autocomplete'] }, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }));
        for (const violation of found.violations) {
          complaints.push(`axe ${violation.id}: ${violation.help} — ${violation.nodes.map((node) => `${node.target} ${node.any.map((a) => a.message).join('; ')}`).join(' | ').slice(0, 500)}`);
        }
      }
      const wanted = complaints.filter((each) => !/models|WebSocket connection|404 \(Not Found\)|400 \(Bad Request\)/.test(each));
      for (const complaint of wanted) console.log(`${name} ${theme} ${width}: ${complaint}`);
      findings += wanted.length;
      await context.close();
    }
  }
}
runtime.close();
await browser.close();
console.log(findings === 0 ? 'no findings' : `${findings} findings`);
process.exit(findings === 0 ? 0 : 1);

/** Draws somebody's portal inside a browser window: the screens that the sandbox shows. */
async function sandboxScreens() {
  const page = await browser.newPage({ viewport: { width: 1280, height: 808 } });
  const html = (body, url) => `<style>*{box-sizing:border-box;margin:0}body{font:14px system-ui;color:#1d2330;background:#fff}
    .tabs{height:41px;background:#dfe3ea;display:flex;align-items:end;padding:0 8px}.tab{height:33px;width:220px;border-radius:9px 9px 0 0;background:#fff;padding:8px 14px;font-size:12px}
    .bar{height:47px;display:flex;align-items:center;gap:14px;padding:0 14px;border-bottom:1px solid #e3e6ec;color:#5a6376}.url{flex:1;height:33px;border-radius:17px;background:#eef1f5;padding:8px 16px;font-size:13px;color:#1d2330}
    header{display:flex;align-items:center;gap:12px;padding:18px 36px;border-bottom:1px solid #e8eaf0;font-weight:600}header i{width:22px;height:22px;border-radius:50%;background:#2f5bea}
    .login{width:340px;margin:74px auto 0}h3{font-size:22px;margin-bottom:14px}label{display:block;font-size:12px;color:#5a6376;margin:13px 0 4px}.f{height:38px;border:1px solid #cfd5e2;border-radius:6px;padding:9px 11px}.b{margin-top:20px;height:40px;border-radius:6px;background:#2f5bea;color:#fff;display:grid;place-items:center;font-weight:600}
    table{width:860px;margin:34px auto;border-collapse:collapse}td,th{text-align:left;padding:11px;border-bottom:1px solid #e8eaf0}</style>
    <div class="tabs"><div class="tab">Portal</div></div><div class="bar"><span>←</span><span>→</span><span>⟳</span><div class="url">${url}</div></div><header><i></i>Portal</header>${body}`;
  const login = (mail, password) => `<div class="login"><h3>Sign in</h3><label>E-mail</label><div class="f">${mail}</div><label>Password</label><div class="f">${password}</div><div class="b">Continue</div></div>`;
  const rows = ['Nordlicht', 'Weber, Sohn', 'Hafenkante', 'Alder & Co', 'Brisk Freight', 'Lumen Print']
    .map((who, i) => `<tr><td>2026-10${44 + i}</td><td>${who}</td><td>${2 + i} Oct 2026</td><td>€ ${(120 + i * 87.3).toFixed(2)}</td></tr>`)
    .join('');
  const invoices = `<table><tr><th>Invoice</th><th>Supplier</th><th>Date</th><th>Amount</th></tr>${rows}</table>`;
  const shot = async (body, url) => {
    await page.setContent(html(body, url));
    const png = (await page.screenshot()).toString('base64');
    const raw = await page.evaluate(async (png) => {
      const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
      const canvas = new OffscreenCanvas(image.width, image.height);
      const context = canvas.getContext('2d');
      context.drawImage(image, 0, 0);
      const bytes = context.getImageData(0, 0, image.width, image.height).data;
      let text = '';
      for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
      return btoa(text);
    }, png);
    return { width: 1280, height: 808, rgba: Buffer.from(raw, 'base64') };
  };
  const screens = {
    signIn: await shot(login('', ''), 'portal.example/sign-in'),
    filled: await shot(login('name@company.example', '••••••••••'), 'portal.example/sign-in'),
    invoices: await shot(invoices, 'portal.example/invoices'),
  };
  await page.close();
  return screens;
}
