/**
 * Every viewer with a real file of its kind, in Chromium, under the policy that the program sends: what it shows, that nothing
 * of a file runs or loads, that a large file is read by parts; then terminals and code. Axe finds nothing in any of them.
 *
 * `node tests/viewers.mjs [--out DIR] [--theme light,dark]`, after `npm run build`.
 */
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { makeFiles } from './files.mjs';
import { startRuntime } from './runtime.mjs';

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? fallback : process.argv[at + 1];
};
const OUT = option('out', join(import.meta.dirname, '../../tests/ui/output'));
const THEMES = option('theme', 'light').split(',');

const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args });
const axe = await readFile(join(import.meta.dirname, '../node_modules/axe-core/axe.min.js'), 'utf8');
await mkdir(OUT, { recursive: true });
const maker = await browser.newPage();
const files = await makeFiles(maker);
await maker.close();
const blank = { width: 64, height: 40, rgba: Buffer.alloc(64 * 40 * 4, 240) };
const runtime = await startRuntime({ signIn: blank, filled: blank, invoices: blank });
let failures = 0;

for (const theme of THEMES) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: theme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(Number(option('patience', 60_000)));
  const complaints = [];
  const asked = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error.stack ?? error)));
  // Whatever would leave this machine.
  page.on('request', (request) => !request.url().startsWith(runtime.url) && /^https?:/.test(request.url()) && asked.push(request.url()));
  runtime.show('agent');
  runtime.serve(files, new Map([['analysis.py', Buffer.from(String(files.get('analysis.py')).replace('import csv\n', '').replace('as file', 'as f').replace('(file)', '(f)').concat('# the end\n'))]]));
  await page.goto(`${runtime.url}/#ticket=one`);
  await page.getByRole('button', { name: runtime.main }).first().click();
  await page.getByRole('tab', { name: /Files/ }).click();

  const only = option('only', '');
  const check = async (name, work) => {
    if (only !== '' && !only.split(',').includes(name)) return;
    complaints.length = 0;
    try {
      await work();
      await page.evaluate(`${axe}; undefined`);
      const found = await page.evaluate(() => axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }));
      const wrong = found.violations.map((each) => `axe ${each.id}: ${each.nodes.map((node) => `${node.target} ${node.any.map((a) => a.message).join('; ')}`).join(' | ').slice(0, 400)}`);
      // A page of a file may try: that its policy stops it is the point.
      const own = complaints.filter((each) => !/404 \(Not Found\)|about:srcdoc|evil\.example/.test(each));
      assert.deepEqual([...wrong, ...own], []);
      assert.deepEqual(asked, []);
      console.log(`ok    ${theme} ${name}`);
    } catch (error) {
      failures += 1;
      console.log(`FAIL  ${theme} ${name}: ${String(error.message).slice(0, 1_500)}`);
    }
    await page.screenshot({ path: join(OUT, `viewer-${name}-${theme}.png`) });
  };
  const place = page.getByRole('region', { name: 'File', exact: true });
  /** Opens a file in the panel, then large. */
  const open = async (path) => {
    const back = page.getByRole('button', { name: 'Back to the files' });
    while ((await back.count()) > 0) await back.first().click();
    await page.getByRole('treeitem', { name: path, exact: false }).first().click();
    await page.getByRole('button', { name: 'Show large' }).click();
    await place.waitFor();
  };
  const shows = (words) => place.getByText(words).first().waitFor();

  await check('text', async () => {
    await open('analysis.py');
    await shows('Sums the amounts of a file.');
    await place.locator('.cm-lineNumbers').waitFor();
    const colours = () => place.locator('.cm-line span').evaluateAll((spans) => new Set(spans.map((span) => getComputedStyle(span).color)).size);
    await page.waitForFunction(() => document.querySelectorAll('.file-place .cm-line span').length > 10);
    assert.ok((await colours()) >= 3, 'code is in colours');
    await place.locator('.cm-content').focus();
    await page.keyboard.press('Control+f');
    await page.keyboard.type('total');
    await place.locator('.cm-searchMatch').first().waitFor();
  });
  await check('diff', async () => {
    await open('analysis.py');
    await place.getByRole('button', { name: 'What changed' }).click();
    await shows('3 changes: 3 lines added, 3 lines removed');
    assert.equal(await place.locator('.cm-mergeViewEditor').count(), 2, 'side by side where there is room');
    await place.locator('.cm-merge-a .cm-changedText', { hasText: '# the end' }).first().waitFor();
    await place.getByRole('button', { name: 'The next change' }).click();
    await place.getByRole('button', { name: 'Show beside the live view' }).click();
    const panel = page.getByRole('tabpanel');
    await panel.getByRole('treeitem', { name: /analysis\.py/ }).click();
    await panel.getByRole('button', { name: 'What changed' }).click();
    await panel.getByText('3 changes:').waitFor();
    assert.equal(await panel.locator('.cm-mergeViewEditor').count(), 0, 'in one column in the panel');
    await panel.locator('.cm-deletedChunk', { hasText: 'as f:' }).waitFor();
    await panel.getByRole('button', { name: 'Show large' }).click();
    await place.getByRole('button', { name: 'What changed' }).click();
    await shows('3 changes:');
  });
  await check('new-since', async () => {
    await open('western.txt');
    await place.getByRole('button', { name: 'What changed' }).click();
    await shows('It was not there then');
  });
  await check('hidden-signs', async () => {
    await open('hidden.txt');
    await shows('pay to');
    assert.equal(await place.locator('.cm-specialChar').count(), 3);
  });
  await check('encoding', async () => {
    await open('western.txt');
    await shows('München café');
  });
  await check('json', async () => {
    await open('data.json');
    await shows('"invoices"');
    await place.locator('.cm-foldPlaceholder').first().waitFor();
  });
  await check('markdown', async () => {
    await open('report.md');
    await place.getByRole('heading', { name: 'Invoices of October' }).waitFor();
    await page.waitForFunction(() => document.querySelector('.file-place img')?.naturalWidth > 0);
    assert.equal(await place.locator('img').count(), 1, 'a picture from elsewhere is none');
  });
  await check('html', async () => {
    await open('page.html');
    const frame = page.frameLocator('.file-place iframe');
    await frame.getByRole('heading', { name: 'Offer of October' }).waitFor();
    assert.equal(await frame.getByText('script ran').count(), 0);
    assert.equal(await frame.locator('iframe, script, a[href]').count(), 0);
    assert.equal(await frame.locator('img').first().evaluate((image) => image.naturalWidth > 0), true);
    assert.equal(await place.locator('iframe').getAttribute('sandbox'), '');
  });
  await check('csv', async () => {
    await open('invoices.csv');
    await shows('12,000 rows');
    assert.ok((await place.locator('tbody tr').count()) < 120, 'only rows in sight are drawn');
    await place.getByRole('button', { name: 'amount' }).click();
    assert.equal(await place.locator('tbody tr:nth-child(2) td:nth-last-child(2)').textContent(), '0');
    await place.getByLabel('Find rows').fill('Supplier, 96');
    await place.getByText('Supplier, 96').first().waitFor();
    await place.locator('.grid').evaluate((grid) => (grid.scrollTop = grid.scrollHeight));
  });
  for (const ending of ['xlsx', 'ods']) {
    await check(ending, async () => {
      await open(`book.${ending}`);
      await shows('Hafenkante');
      await place.getByRole('tab', { name: 'November' }).click();
      await shows('Lumen');
    });
  }
  await check('image', async () => {
    await open('plot.png');
    await shows('480 × 300');
  });
  await check('svg', async () => {
    await open('drawing.svg');
    await shows('320 × 200');
    assert.equal(await page.evaluate(() => 'caught' in window), false);
  });
  await check('pdf', async () => {
    await open('report.pdf');
    await shows('Page 1 of 12');
    await page.waitForFunction(() => (document.querySelector('.file-place canvas')?.width ?? 0) > 300);
    await place.getByText('Report of October').first().waitFor({ state: 'attached' });
    await place.getByLabel('Find words').fill('needle');
    await page.keyboard.press('Enter');
    await shows('1 of 1');
    await shows('Page 10 of 12');
    await place.locator('.words .found').first().waitFor();
  });
  await check('video', async () => {
    await open('film.webm');
    await page.waitForFunction(() => document.querySelector('.file-place video')?.videoWidth === 320);
  });
  await check('audio', async () => {
    await open('sound.wav');
    await page.waitForFunction(() => Math.round(document.querySelector('.file-place audio')?.duration ?? 0) === 1);
  });
  for (const path of ['things.zip', 'things.tar.gz']) {
    await check(path, async () => {
      await open(path);
      await shows('read me.txt');
      await shows('evil‹U+202E›gnp.exe');
    });
  }
  await check('hex', async () => {
    await open('state.bin');
    await shows('00000000');
    await place.getByRole('button', { name: 'End' }).click();
    await shows('00008000');
  });
  await check('log', async () => {
    const before = runtime.readBytes;
    const began = Date.now();
    await open('server.log');
    await shows('200.0 MB');
    await page.waitForFunction(() => /request 02857141/.test(document.querySelector('.file-place .cm-content')?.textContent ?? ''));
    assert.ok(runtime.readBytes - before < 2_000_000, `${runtime.readBytes - before} bytes were read`);
    console.log(`      a log of 200 MB shows its end after ${Date.now() - began} ms`);
    await place.locator('.cm-scroller').evaluate((scroller) => (scroller.scrollTop = 0));
    await page.waitForFunction(() => /199\.[0-5]–/.test(document.querySelector('.file-place .bar')?.textContent ?? ''));
    await place.getByRole('button', { name: 'Beginning' }).click();
    await shows(/request 00000000/);
    await place.locator('.cm-content').focus();
    await page.keyboard.press('Control+f');
    const asked = Date.now();
    await page.keyboard.type('REQUEST 0142857');
    await shows('Match 1 of 10');
    console.log(`      words are found in all of it after ${Date.now() - asked} ms`);
    await place.getByText('request 01428570').first().waitFor();
    assert.equal(await place.locator('.bar').first().textContent().then((words) => /^100\.|^99\./.test(words.trim())), true, 'the match stands where the file has it');
    await page.keyboard.press('Enter');
    await shows('Match 2 of 10');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.press('Shift+Enter');
    await shows('Match 10 of 10');
    await page.keyboard.press('Control+a');
    await page.keyboard.type('not in it at all');
    await shows('Nothing found');
    await page.keyboard.press('Escape');
    await place.getByLabel('Find words').waitFor({ state: 'detached' });
    assert.equal(await place.isVisible(), true, 'the file stays');
  });
  await check('names', async () => {
    while ((await page.getByRole('button', { name: 'Back to the files' }).count()) > 0) await page.getByRole('button', { name: 'Back to the files' }).first().click();
    await page.getByText('evil‹U+202E›gnp.exe').waitFor();
    await page.getByRole('treeitem', { name: /evil/ }).click();
    await page.getByRole('button', { name: 'Save a copy' }).first().click();
    await page.getByText('Save a file that can run programs?').waitFor();
    await page.getByRole('button', { name: 'Do not save' }).click();
    await page.keyboard.press('Escape');
    await page.getByText('203 MB in 214 files').waitFor();
  });

  runtime.shownBefore = 'user@sandbox:/workspace$ \u001b[32mls\u001b[0m\r\nreport.md\r\n\u001b]52;c;ZXZpbA==\u0007\u001b]8;;https://evil.example\u0007a link\u001b]8;;\u0007\u001b[c\r\n$ ';
  await check('terminal', async () => {
    await page.evaluate(() => {
      window.copied = [];
      navigator.clipboard.writeText = (text) => Promise.resolve(window.copied.push(text));
      window.open = (url) => window.copied.push(url);
    });
    await page.keyboard.press('Control+Backquote');
    const bench = page.getByRole('region', { name: 'Terminals and code' });
    await bench.getByText('report.md').first().waitFor();
    await bench.getByText('a link').click({ force: true });
    await page.keyboard.type('echo hi');
    await bench.getByText('echo hi').first().waitFor();
    assert.deepEqual(runtime.typed.join(''), 'echo hi', 'what the screen was asked before is not answered again');
    assert.deepEqual(await page.evaluate(() => window.copied), [], 'neither clipboard nor links are reached');
    const paste = (text) =>
      page.evaluate((text) => {
        const data = new DataTransfer();
        data.setData('text/plain', text);
        document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
      }, text);
    await paste(' plain');
    await bench.getByText('echo hi plain').first().waitFor();
    runtime.typed.length = 0;
    await paste('rm -rf x\nls\n');
    await page.getByText('2 lines. They may run at once.').waitFor();
    assert.deepEqual(runtime.typed, []);
    await page.keyboard.press('Escape');
    assert.deepEqual(runtime.typed, []);
  });
  await check('code', async () => {
    await page.getByRole('tab', { name: 'Run code' }).click();
    await page.locator('.runner .cm-content').click();
    await page.keyboard.type('print("3 invoices")');
    await page.keyboard.press('Control+Enter');
    await page.getByText('Done in 41 ms').waitFor();
    await page.locator('pre', { hasText: '3 invoices' }).waitFor();
    await page.getByRole('button', { name: 'Back to the live view' }).click();
  });
  await check('delete', async () => {
    const before = runtime.deleted.length;
    await page.getByRole('treeitem', { name: /analysis\.py/ }).focus();
    await page.getByRole('treeitem', { name: /analysis\.py/ }).press('Delete');
    await page.getByText('Deleted analysis.py.').waitFor();
    assert.equal(runtime.deleted.length, before + 1);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('is back.').waitFor();
    assert.equal(runtime.deleted.length, before);
  });
  await context.close();
}
runtime.close();
await browser.close();
console.log(failures === 0 ? 'no failures' : `${failures} failures`);
process.exit(failures === 0 ? 0 : 1);
