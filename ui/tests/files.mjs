/** A real file of every kind that a viewer shows, made by programs of others. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utils, write } from '@e965/xlsx';

/** `page` is a page of Chromium, which prints the PDF and records the film. */
export async function makeFiles(page) {
  const files = new Map();
  const text = (path, words) => files.set(path, Buffer.from(words));
  const plot = await pictureOf(page);
  files.set('plot.png', plot);
  text('report.md', '# Invoices of October\n\nThree suppliers, **one** overdue.\n\n![The plot](plot.png)\n\n| Supplier | Total |\n|---|--:|\n| Weber | 207.30 |\n| Hafenkante | 294.60 |\n\n- [x] Checked\n- [ ] Paid\n\n![tracker](https://evil.example/x.png)\n');
  text('analysis.py', 'import csv\n\n\ndef total(path: str) -> float:\n    """Sums the amounts of a file."""\n    with open(path, newline="") as file:\n        return sum(float(row["amount"]) for row in csv.DictReader(file))\n\n\nprint(f"{total(\'invoices.csv\'):.2f} EUR")  # 1,982.40\n');
  text('hidden.txt', 'pay to \u202eevil\u202c today\u200b\n');
  files.set('western.txt', Buffer.from([0x4d, 0xfc, 0x6e, 0x63, 0x68, 0x65, 0x6e, 0x20, 0x63, 0x61, 0x66, 0xe9, 0x0a]));
  text('data.json', JSON.stringify({ invoices: Array.from({ length: 40 }, (_, i) => ({ no: 202600 + i, lines: [{ item: 'Freight', amount: 12.5 * i }] })) }));
  text('invoices.csv', `no,supplier,amount\n${Array.from({ length: 12_000 }, (_, i) => `${202600 + i},"Supplier, ${i % 97}",${((i * 7919) % 100_000) / 100}`).join('\n')}\n`);
  const book = utils.book_new();
  utils.book_append_sheet(book, utils.aoa_to_sheet([['Supplier', 'Total'], ['Weber', 207.3], ['Hafenkante', 294.6]]), 'October');
  utils.book_append_sheet(book, utils.aoa_to_sheet([['Supplier', 'Total'], ['Lumen', 12]]), 'November');
  files.set('book.xlsx', write(book, { type: 'buffer', bookType: 'xlsx' }));
  files.set('book.ods', write(book, { type: 'buffer', bookType: 'ods' }));
  text('drawing.svg', '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="200"><script>parent.caught = true</script><image href="https://evil.example/x.png"/><rect width="320" height="200" fill="#e8eefc"/><circle cx="160" cy="100" r="70" fill="#2f5bea"/></svg>');
  text('page.html', '<!doctype html><title>Offer</title><style>body{font-family:sans-serif;padding:24px}h1{color:#2f5bea}</style><h1>Offer of October</h1><p>Delivered within <b>three</b> days.</p><img src="plot.png" width="240"><img src="https://evil.example/x.png"><script>document.body.append("script ran"); fetch("https://evil.example/f")</script><iframe src="https://evil.example/i"></iframe><a href="https://evil.example/a">a link</a>');
  await page.setContent(`<h1>Report of October</h1><p>The total is 1982.40 EUR.</p>${Array.from({ length: 11 }, (_, i) => `<div style="break-before:page"><h2>Page ${i + 2}</h2><p>${i === 8 ? 'The needle stands here.' : 'Nothing but hay.'}</p></div>`).join('')}`);
  files.set('report.pdf', await page.pdf({ format: 'A4' }));
  files.set('film.webm', await filmOf(page));
  files.set('sound.wav', soundOf());
  const folder = mkdtempSync(join(tmpdir(), 'baton-files-'));
  writeFileSync(join(folder, 'read me.txt'), 'hello');
  writeFileSync(join(folder, 'evil\u202egnp.exe'), 'MZ');
  execFileSync('python3', ['-c', "import shutil,sys; shutil.make_archive(sys.argv[1] + '/../out', 'zip', sys.argv[1])", folder]);
  execFileSync('tar', ['-czf', join(folder, '../out.tar.gz'), '-C', folder, '.']);
  files.set('things.zip', readFileSync(join(folder, '../out.zip')));
  files.set('things.tar.gz', readFileSync(join(folder, '../out.tar.gz')));
  rmSync(folder, { recursive: true });
  files.set('state.bin', Buffer.from(Array.from({ length: 40_000 }, (_, i) => (i * 37 + (i >> 8)) & 255)));
  text('evil\u202egnp.exe', 'MZ is what programs begin with');
  files.set('server.log', logOf(200_000_000));
  return files;
}

/** A log of that many bytes, whose lines are numbered. */
function logOf(size) {
  const log = Buffer.alloc(size);
  const line = (n) => `2026-11-30T10:41:00.000Z INFO  request ${String(n).padStart(8, '0')} answered 200 in 12 ms\n`;
  const length = line(0).length;
  for (let n = 0; n * length < size; n += 1) log.write(line(n), n * length);
  return log;
}

async function pictureOf(page) {
  await page.setContent('<body style="margin:0"><svg width="480" height="300"><rect width="480" height="300" fill="#fff"/><polyline points="20,260 120,180 220,200 320,90 460,40" fill="none" stroke="#2f5bea" stroke-width="5"/></svg>');
  return page.locator('svg').screenshot();
}

/** Recorded by Chromium itself. */
async function filmOf(page) {
  const encoded = await page.evaluate(async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 });
    const context = canvas.getContext('2d');
    const recorder = new MediaRecorder(canvas.captureStream(10), { mimeType: 'video/webm' });
    const parts = [];
    recorder.ondataavailable = (event) => parts.push(event.data);
    recorder.start();
    for (let i = 0; i < 8; i += 1) {
      context.fillStyle = `hsl(${i * 40} 70% 60%)`;
      context.fillRect(0, 0, 320, 180);
      await new Promise((resolve) => setTimeout(resolve, 80));
    }
    await new Promise((resolve) => {
      recorder.onstop = resolve;
      recorder.stop();
    });
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    return btoa(String.fromCharCode(...bytes));
  });
  return Buffer.from(encoded, 'base64');
}

/** A second of a tone. */
function soundOf() {
  const rate = 8_000;
  const wav = Buffer.alloc(44 + rate);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + rate, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(rate, 24);
  wav.writeUInt32LE(rate, 28);
  wav.writeUInt16LE(1, 32);
  wav.writeUInt16LE(8, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(rate, 40);
  for (let i = 0; i < rate; i += 1) wav[44 + i] = 128 + Math.round(60 * Math.sin((i * 440 * 2 * Math.PI) / rate));
  return wav;
}
