/**
 * The interface by keyboard alone, and what reaches the sandbox while a person drives. Exits 1 on the first thing that differs.
 *
 * `node tests/keys.mjs`, after `npm run build`.
 */
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { startRuntime } from './runtime.mjs';
import { NOW } from './world.mjs';

const blank = { width: 64, height: 40, rgba: Buffer.alloc(64 * 40 * 4, 255) };
const runtime = await startRuntime({ signIn: blank, filled: blank, invoices: blank });
// Root may not use Chromium's own sandbox. Only this browser, which sees nothing but our own pages, goes without it.
const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args });

async function open(state) {
  runtime.show(state);
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
  await page.clock.setFixedTime(NOW);
  await page.goto(`${runtime.url}/#ticket=one`);
  await page.getByRole('button', { name: runtime.main }).first().click();
  return page;
}
const seen = (page, text) => page.getByText(text, { exact: true }).first().waitFor({ timeout: 10_000 });
const gone = (page, text) => page.getByText(text, { exact: true }).first().waitFor({ state: 'detached', timeout: 10_000 });
/** Waits until the runtime heard it: what the page sends is on its way for a moment. */
async function reached(happened, what) {
  const until = performance.now() + 10_000;
  while (!happened()) {
    assert.ok(performance.now() < until, what);
    await new Promise((waited) => setTimeout(waited, 20));
  }
}

const tests = {
  async 'a key step shows its picture in line, whole on a key, and not when pictures are off'() {
    const page = await open('agent');
    const small = page.getByRole('button', { name: /^Show it whole: .*Invoices/ });
    await small.press('Enter');
    await page.getByRole('dialog').getByRole('img').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Pictures of key steps' }).press('Enter');
    await small.waitFor({ state: 'detached' });
    const look = page.getByRole('button', { name: /^Show the picture: .*Invoices/ });
    await look.press('Enter');
    await page.getByRole('img', { name: /^The page after: .*Invoices/ }).waitFor();
    return page;
  },
  async 'F9 starts a browser that is stopped, and takes control of it'() {
    const page = await open('stopped');
    await page.getByText('its browser starts again when it is used', { exact: false }).first().waitFor();
    assert.equal(await page.getByRole('img', { name: /^The sandbox screen/ }).count(), 0, 'nothing is watched that does not run');
    await page.keyboard.press('F9');
    await seen(page, 'You are driving');
    return page;
  },
  async 'the palette lists every command after >, and the arrows reach the last'() {
    const page = await open('agent');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('>');
    const options = page.getByRole('option');
    await page.getByRole('option', { name: 'Theme as the system' }).waitFor();
    assert.ok((await options.count()) >= 20, `${await options.count()} commands`);
    await page.keyboard.press('ArrowUp');
    const last = page.getByRole('option', { name: 'Theme as the system', selected: true });
    await last.waitFor();
    await page.waitForFunction(() => {
      const [row, list] = [document.querySelector('[role=option][aria-selected=true]'), document.querySelector('.hits')].map((each) => each.getBoundingClientRect());
      return row.bottom <= list.bottom + 1;
    });
    return page;
  },
  async 'a step is copied as a line of a playbook'() {
    const page = await open('agent');
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Copy as a step: Clicked Invoices' }).press('Enter');
    await page.getByText('Copied: - click: { role: link, name: Invoices }').first().waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), '- click: { role: link, name: Invoices }');
    return page;
  },
  async 'a job is renamed, archived, deleted and had back by keyboard'() {
    const page = await open('agent');
    await page.getByRole('button', { name: /^Customs form 7512/ }).focus();
    await page.keyboard.press('F2');
    await page.keyboard.type('Form for the customs');
    await page.keyboard.press('Enter');
    const job = page.getByRole('navigation').getByRole('button', { name: /^Form for the customs/ });
    await job.waitFor();
    await job.press('e');
    await job.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).press('Enter');
    await job.waitFor();
    runtime.forgotten.length = 0;
    await job.press('Delete');
    await job.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Undo' }).press('Enter');
    await job.waitFor();
    assert.deepEqual(runtime.forgotten, [], 'what is had back was never deleted');
    await page.reload();
    await job.waitFor();
    return page;
  },
  async 'several jobs are chosen with Shift and the arrows, and what runs cannot be deleted among them'() {
    const page = await open('agent');
    await page.getByRole('button', { name: /^Customs form 7512/ }).focus();
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('Shift+ArrowDown');
    await seen(page, '3 chosen');
    await page.getByRole('group', { name: '3 jobs chosen' }).getByRole('button', { name: 'Delete' }).waitFor();
    await page.keyboard.press('Escape');
    await gone(page, '3 chosen');
    await page.getByRole('button', { name: /^Compare shipping rates/ }).press('Delete');
    await page.getByText('A job that goes on is stopped before it is deleted.').first().waitFor();
    return page;
  },
  async 'Ctrl K runs a command, finds a line of a file, and lands on it'() {
    const page = await open('ended');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('dark');
    await page.getByRole('option', { name: 'Dark theme' }).waitFor();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.documentElement.dataset.theme === 'dark');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('weber');
    const hit = page.getByRole('option', { name: /Weber, Sohn/ });
    await hit.waitFor();
    assert.equal(await hit.locator('mark').first().textContent(), 'Weber');
    await hit.click();
    await page.locator('.cm-activeLine', { hasText: 'Weber, Sohn' }).or(page.locator('.cm-line', { hasText: 'Weber, Sohn' })).first().waitFor();
    return page;
  },
  async 'Ctrl K finds what the story says, and lands on its line'() {
    const page = await open('ended');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('scrolled');
    await page.getByRole('option', { name: /^Scrolled/ }).click();
    await page.locator('.sought', { hasText: 'Scrolled' }).waitFor();
    return page;
  },
  async '? shows every shortcut, but not while something is written'() {
    const page = await open('agent');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+,');
    await page.getByLabel('Find a setting').focus();
    await page.keyboard.type('?');
    assert.equal(await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).count(), 0);
    return page;
  },
  async 'arrows move through the list and open what they reach'() {
    const page = await open('agent');
    await page.keyboard.press('Home');
    await page.getByRole('heading', { name: 'Supplier onboarding' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.getByRole('heading', { name: 'Vendor portal' }).waitFor();
    return page;
  },
  async 'Ctrl K finds, arrows choose, Enter opens'() {
    const page = await open('agent');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('quarter');
    await page.getByRole('option', { name: /Quarterly/ }).first().waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Quarterly filings' }).waitFor();
    return page;
  },
  async 'F9 takes control, keys go to the sandbox, F9 asks for a note, Esc goes on, Enter hands back'() {
    const page = await open('needs');
    await page.getByText('exact').waitFor();
    await page.keyboard.press('F9');
    await seen(page, 'You are driving');
    runtime.heard.length = 0;
    await page.keyboard.type('ab');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.waitForTimeout(100);
    const pressed = runtime.heard.filter((word) => word.type === 'input' && word.event.kind === 'key' && word.event.down).map((word) => word.event.key);
    assert.deepEqual(pressed, ['a', 'b', 'Escape', 'Control', 'k']);
    assert.equal(await page.getByRole('dialog').count(), 0, 'the application’s shortcuts rest while a person types into the sandbox');

    await page.keyboard.press('F9');
    await seen(page, 'Hand back?');
    runtime.heard.length = 0;
    await page.keyboard.type('mail');
    await page.keyboard.press('Escape');
    await gone(page, 'Hand back?');
    await page.keyboard.press('c');
    await page.waitForTimeout(100);
    const keys = runtime.heard.filter((word) => word.type === 'input' && word.event.kind === 'key' && word.event.down).map((word) => word.event.key);
    assert.deepEqual(keys, ['c'], 'what is typed into the note stays here, and afterwards the keys are the sandbox’s again');

    await page.keyboard.press('F9');
    await page.keyboard.type(' sent');
    await page.keyboard.press('Enter');
    await seen(page, 'What changed while you drove');
    assert.deepEqual(runtime.heard.findLast((word) => word.type === 'handBack'), { type: 'handBack', note: 'mail sent' });
    return page;
  },
  async 'a secret is typed as text and stays nowhere in the page'() {
    const page = await open('needs');
    await page.getByText('exact').waitFor();
    await page.keyboard.press('F9');
    await seen(page, 'You are driving');
    await page.getByRole('button', { name: 'Type a secret…' }).click();
    await page.keyboard.type('hunter2');
    await page.keyboard.press('Enter');
    await gone(page, 'Type a secret');
    await page.waitForTimeout(100);
    const texts = runtime.heard.filter((word) => word.event?.kind === 'text').map((word) => word.event.text);
    assert.deepEqual(texts, ['hunter2']);
    assert.ok(!(await page.content()).includes('hunter2'));
    return page;
  },
  async 'a model is added with its key, tested, and forgotten, and the key stays nowhere in the page'() {
    const page = await open('agent');
    await page.keyboard.press('Control+,');
    await page.getByRole('button', { name: 'Models', exact: true }).click();
    await page.getByRole('button', { name: 'Add a model…' }).click();
    await page.getByLabel('Name here').fill('mine');
    await page.getByLabel('Model', { exact: true }).fill('anthropic/claude-sonnet-4.5');
    await page.getByLabel('Key', { exact: true }).fill('sk-canary');
    await page.keyboard.press('Enter');
    await seen(page, 'mine');
    assert.deepEqual(runtime.keysHeard.splice(0), ['sk-canary']);
    await page.getByRole('button', { name: 'Test mine' }).click();
    await seen(page, 'Answered in 0.8 s');
    await page.getByRole('button', { name: 'Test anthropic' }).click();
    await seen(page, 'Incorrect API key provided');
    assert.ok(!(await page.content()).includes('sk-canary'));
    await page.getByRole('button', { name: 'Forget mine' }).click();
    await gone(page, 'mine');
    return page;
  },
  async 'steps are completed, a mistake is named in place and mended, and one step may be begun with'() {
    const page = await open('agent');
    await page.keyboard.press('Control+n');
    await page.getByRole('radio', { name: 'As steps' }).click();
    const steps = page.getByLabel('Steps', { exact: true });
    const lines = async () => (await page.locator('.cm-line').allTextContents()).join('\n');
    await steps.fill('name: Try\nsteps:\n  - clik: { text: Go }');
    await page.getByRole('button', { name: 'Line 3 unknown step clik: did you mean click?' }).waitFor();
    await steps.fill('name: Try\nparams: { month: "2026-10" }\nsteps:\n  - navi');
    await page.keyboard.press('Control+Space');
    // The page's clock stands still, and Enter waits a moment of it before it takes a suggestion.
    await page.getByRole('option', { name: /^navigate/ }).click();
    assert.match(await lines(), /- navigate: ?$/);
    await page.getByLabel('month').waitFor();
    return page;
  },
  async 'what Markdown brings along is text, never script'() {
    const page = await open('ended');
    await page.getByRole('tab', { name: /Files/ }).click();
    await page.getByText('report.md', { exact: true }).click();
    await page.getByRole('heading', { name: 'October 2026' }).waitFor();
    assert.equal(await page.locator('.md script').count(), 0);
    assert.ok((await page.locator('.md').textContent()).includes('<script>alert(1)</script>'));
    return page;
  },
  async 'F9 in a window where another person drives asks them for control'() {
    const page = await open('agent');
    await page.getByRole('button', { name: /Vendor portal/ }).click();
    await page.getByRole('heading', { name: 'Vendor portal' }).waitFor();
    await seen(page, 'A colleague is driving');
    await page.getByText('exact').waitFor();
    await page.keyboard.press('F9');
    await page.getByText('They are asked now').first().waitFor();
    assert.equal(runtime.heard.filter((word) => word.type === 'askControl').length, 1);
    assert.equal(await page.getByText('You are driving').count(), 0);
    return page;
  },
  async 'who drives and is asked for control answers by keyboard'() {
    const page = await open('needs');
    await page.getByText('exact').waitFor();
    await page.keyboard.press('F9');
    await seen(page, 'You are driving');
    runtime.askFor('Ann');
    await seen(page, 'Ann asks for control');
    await page.getByRole('button', { name: 'Keep driving' }).press('Enter');
    await gone(page, 'Ann asks for control');
    runtime.askFor('Ann');
    await page.getByRole('button', { name: 'Give control' }).press('Enter');
    await seen(page, 'Ann is driving');
    return page;
  },
  async 'a page that is loaded anew while its person drives goes on driving'() {
    const page = await open('needs');
    await page.getByText('exact').waitFor();
    await page.keyboard.press('F9');
    await seen(page, 'You are driving');
    runtime.lapse();
    runtime.heard.length = 0;
    await page.reload();
    await page.getByRole('button', { name: runtime.main }).first().click();
    await seen(page, 'You are driving');
    assert.equal(runtime.heard.filter((word) => word.type === 'take').length, 1);
    return page;
  },
  async 'edges of panes move by arrows, are remembered, and fold'() {
    const page = await open('agent');
    const edge = page.getByRole('separator', { name: 'Width of the list' });
    const width = () => page.locator('#pane-list').evaluate((pane) => pane.getBoundingClientRect().width);
    const before = await width();
    await edge.press('ArrowRight');
    assert.equal(await width(), before + 16);
    await page.reload();
    await edge.waitFor();
    assert.equal(await width(), before + 16);
    await edge.press('Enter');
    assert.equal(await width(), before);
    await page.keyboard.press('Control+b');
    await page.getByRole('button', { name: 'Unfold the list' }).waitFor();
    await page.keyboard.press('Control+b');
    await edge.waitFor();
    const box = await edge.boundingBox();
    await page.mouse.move(box.x + 4, 400);
    await page.mouse.down();
    await page.mouse.move(box.x + 4 - 40, 400);
    await page.mouse.up();
    assert.ok((await width()) < before, 'the pointer drags it');
    return page;
  },
  async 'F6 shows the wall, arrows move, a digit opens, Esc closes'() {
    const page = await open('agent');
    await page.keyboard.press('F6');
    const tiles = page.getByRole('main', { name: 'Wall' }).getByRole('listitem').getByRole('button');
    await tiles.first().waitFor();
    assert.match(await tiles.first().textContent(), /Supplier onboarding, needs you/);
    await page.keyboard.press('ArrowRight');
    assert.match(await page.evaluate(() => document.activeElement.textContent), /Vendor portal/);
    await reached(() => runtime.heard.some((word) => word.type === 'hello' && word.scale > 1 && word.rate === 2), 'tiles ask for small pictures');
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { name: runtime.main }).waitFor();
    await page.keyboard.press('F6');
    await tiles.first().waitFor();
    await page.keyboard.press('1');
    await page.getByRole('heading', { name: 'Supplier onboarding' }).waitFor();
    return page;
  },
  async 'Ctrl plus and minus zoom the picture, Ctrl 0 shows it all, F8 fits the page'() {
    const page = await open('agent');
    await page.getByText('exact').waitFor();
    const width = () => page.locator('.picture').evaluate((picture) => picture.getBoundingClientRect().width);
    const all = await width();
    await page.keyboard.press('Control+1');
    assert.equal(await width(), 64);
    await page.keyboard.press('Control+=');
    assert.ok((await width()) > 64);
    await page.keyboard.press('Control+0');
    assert.equal(await width(), all);
    await page.keyboard.press('F8');
    await reached(() => runtime.resized.length > 0, 'the page gets the size of the stage');
    assert.equal(runtime.resized.length, 1);
    const stage = await page.locator('.view').evaluate((view) => view.clientWidth);
    assert.equal(runtime.resized[0].width, stage);
    return page;
  },
  async 'what the agent aims at is drawn over the picture with its words, unless that is switched off'() {
    const page = await open('agent');
    await page.getByText('exact').waitFor();
    runtime.aim({ x: 20, y: 10, page: { width: 64, height: 30 }, target: { left: 10, top: 5, width: 20, height: 8 }, action: 'click', name: 'Pay', pressed: true });
    await page.locator('.aim').getByText('Clicks “Pay”').waitFor();
    await page.keyboard.press('Control+,');
    await page.getByLabel('Show what the agent is about to do').uncheck();
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('.aim').count(), 0);
    return page;
  },
  async 'a fresh address that is pasted into the same tab opens it'() {
    const page = await open('agent');
    runtime.startAnew();
    await page.goto(`${runtime.url}/#ticket=two`);
    await page.waitForFunction(() => sessionStorage.getItem('baton.token') === 'tokenx');
    await page.getByRole('button', { name: runtime.main }).first().waitFor();
    return page;
  },
  async 'a file to import that is there already is asked about'() {
    const page = await open('agent');
    await page.getByRole('tab', { name: /Files/ }).click();
    await page.getByText('suppliers.txt', { exact: true }).waitFor();
    const taken = { name: 'report.md', mimeType: 'text/markdown', buffer: Buffer.from('x') };
    runtime.written.length = 0;
    await page.locator('input[type=file]').setInputFiles([taken]);
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    assert.deepEqual(runtime.written, []);
    await page.locator('input[type=file]').setInputFiles([]);
    await page.locator('input[type=file]').setInputFiles([taken]);
    await page.getByRole('dialog').getByRole('button', { name: 'Keep both' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await reached(() => runtime.written.length > 0, 'the file is written beside the other');
    assert.deepEqual(runtime.written, ['report (1).md']);
    return page;
  },
  async 'a failed task brings its steps back to be edited, and is deleted on a word'() {
    const page = await open('failed');
    await page.getByRole('button', { name: /^Edit and run again/ }).first().click();
    await page.getByLabel('Steps', { exact: true }).waitFor();
    const steps = (await page.locator('.cm-line').allTextContents()).join('\n');
    assert.equal(steps, runtime.playbook);
    await page.keyboard.press('Escape');
    await page.getByText('Its sandbox is still open.').first().waitFor();
    runtime.forgotten.length = 0;
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByText('Delete…').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('Deleted; 4.1 MB are free again.').first().waitFor();
    assert.equal(runtime.forgotten.length, 1);
    return page;
  },
  async 'the frame’s bar and button keep their place from state to state'() {
    const page = await open('needs');
    await page.getByText('exact').waitFor();
    const place = async () => {
      const bar = await page.locator('.bar').boundingBox();
      const button = await page.locator('.bar .go').boundingBox();
      return [bar.y, bar.height, button.x + button.width, button.y];
    };
    const before = await place();
    await page.keyboard.press('F9');
    await seen(page, 'You are driving');
    assert.deepEqual(await place(), before);
    await page.keyboard.press('F9');
    await seen(page, 'Hand back?');
    assert.deepEqual(await place(), before);
    return page;
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    await (await test()).close();
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}\n${error.message}`);
  }
}
runtime.close();
await browser.close();
process.exit(failed === 0 ? 0 : 1);
