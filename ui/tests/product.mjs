/**
 * Takes the pictures of the documentation from the running product: `baton serve` on a data directory of its own, its
 * interface in Chromium, the practice portal, and a person who presses and types. Nothing is made up; a state that does not
 * come fails the run.
 *
 * `node tests/product.mjs [--out DIR] [--theme light,dark]`, after `npm run build` and `cargo build`. `BATON` names another program.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { liveViewOf, openPage, ROOT, startBaton } from './baton.mjs';

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? fallback : process.argv[at + 1];
};
const OUT = option('out', join(ROOT, 'docs/pictures'));
const THEMES = option('theme', 'light,dark').split(',');
const SIZE = { width: 1440, height: 900 };

const FAILS = `name: Fetch an order
steps:
  - navigate: http://portal.example/help
  - expect: { role: heading, name: Help }
  - click: { role: link, name: Orders, timeoutMs: 2000 }
`;
const ASKS = `name: Sign in to the portal
steps:
  - navigate: http://portal.example/sign-in
  - type: { label: E-mail, text: ada@portal.example }
  - type: { label: Password, text: correct-horse }
  - click: { role: button, name: Continue }
`;

const PLOT = `import csv
rows = list(csv.reader(open("invoices.csv")))[1:]
bars = "".join(f'<rect x="{20 + i * 34}" y="{180 - len(row[0]) * 12}" width="24" height="{len(row[0]) * 12}" fill="#2f5bea"/>' for i, row in enumerate(rows))
open("months.svg", "w").write(f'<svg xmlns="http://www.w3.org/2000/svg" width="420" height="200"><rect width="420" height="200" fill="white"/>{bars}</svg>')
print(len(rows), "invoices")
`;

const baton = await startBaton();
const { page, close } = await openPage(SIZE);
await mkdir(OUT, { recursive: true });

/** Waits until the words are seen, then takes the picture in each theme. */
async function picture(name, sees) {
  await page.getByText(sees).first().waitFor();
  for (const theme of THEMES) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await page.waitForFunction((wanted) => document.documentElement.dataset.theme === wanted, theme);
    await page.screenshot({ path: join(OUT, `${name}-${theme}.png`) });
  }
  console.log(`ok    ${name}`);
}

const button = (name) => page.getByRole('button', { name });
const tab = (name) => page.getByRole('tab', { name });
const { atRest, changed } = liveViewOf(page);

async function newTask(steps) {
  await page.keyboard.press('Control+n');
  await page.getByLabel('Steps', { exact: true }).fill(steps);
}

try {
  await page.goto(baton.address);
  await picture('first-start', 'This machine is ready');

  await button(/^Run the demo/).click();
  await page.getByText('Needs you: sign in to portal.example').first().waitFor();
  await atRest();
  await picture('needs-you', 'Needs you: sign in to portal.example');

  await page.keyboard.press('F9');
  await page.getByText('The agent cannot see or touch this.').first().waitFor();
  // As text, whatever the keyboard of the browser that plays the person is: it has no key for an @ of its own.
  await button(/^Type a secret/).click();
  await page.keyboard.type('ada@portal.example');
  await changed(() => page.keyboard.press('Enter'));
  await page.keyboard.press('Tab');
  await changed(() => page.keyboard.type('correct-horse'));
  await picture('you-drive', 'The agent cannot see or touch this.');
  await changed(() => page.keyboard.press('Enter'));
  await changed(() => page.keyboard.type('246813'));
  await changed(() => page.keyboard.press('Enter'));

  await page.keyboard.press('F9');
  await page.keyboard.type('Signed in, the code went to my phone');
  await picture('hand-back', 'Hand back?');
  await page.keyboard.press('Enter');
  await picture('receipt', 'What changed while you drove');

  await picture('done', 'Total of 2026-10');
  await tab(/Files/).click();
  await picture('files', 'report.md');
  await page.getByText('report.md', { exact: true }).click();
  await picture('report', 'Without an order number');
  await button('More for this file').click();
  await page.getByRole('menuitem', { name: 'Make a PDF' }).click();
  await button('Show large').waitFor();
  await page.getByText(/Page 1 of/).waitFor();
  await button('Show large').click();
  await page.getByText('Without an order number').first().waitFor();
  await picture('pdf', /Page 1 of/);
  await button('Back to the files').click();
  await page.getByText('invoices.csv', { exact: true }).click();
  await button('Show large').click();
  await picture('table', /rows/);
  await page.keyboard.press('Control+Backquote');
  const terminal = page.getByRole('region', { name: 'Terminals and code' });
  const screen = terminal.locator('.xterm-rows');
  await screen.filter({ hasText: '$' }).waitFor();
  await page.keyboard.type('ls -l --color && head -3 invoices.csv\n');
  await screen.filter({ hasText: 'report.md' }).waitFor();
  await picture('terminal', 'Terminal 1');
  await tab('Run code').click();
  await page.locator('.runner .cm-content').click();
  await page.keyboard.insertText(PLOT);
  await page.keyboard.press('Control+Enter');
  await page.getByRole('button', { name: 'Open months.svg' }).waitFor();
  await picture('code', /Done in/);
  await button('Back to the live view').click();
  await tab(/Outputs/).click();
  await picture('outputs', 'Made by');

  await newTask(FAILS);
  await picture('new-task', 'More: name');
  await button(/^Start$|^Start /).click();
  await picture('failed', 'It failed');

  await page.keyboard.press('Control+n');
  await page.getByLabel('Steps', { exact: true }).fill(FAILS.replace('expect:', 'expct:'));
  await button(/^Start$|^Start /).click();
  await picture('typo', 'Line 4');
  await page.keyboard.press('Escape');

  await page.keyboard.press('Control+,');
  await page.getByText('As the system').first().waitFor();
  await picture('settings', 'As the system');
  await page.keyboard.press('Escape');
  await askFirst();
  await newTask(ASKS);
  await button(/^Start$|^Start /).click();
  await atRest();
  await picture('asked-first', /Send this form to portal\.example/);
  await page.keyboard.press('Control+k');
  await page.keyboard.type('invoices');
  await picture('search', 'In the story');
} finally {
  await close();
  await baton.stop();
}

/** Has every form at the portal asked about, as the rules editor of the settings would. */
async function askFirst() {
  const token = await page.evaluate(() => sessionStorage.getItem('baton.token'));
  const answer = await fetch(new URL('/v1/rules', baton.address), {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ rules: [{ site: 'portal.example', kind: 'submit', effect: 'ask' }] }),
  });
  if (!answer.ok) throw new Error(`the rules were refused: ${await answer.text()}`);
}
