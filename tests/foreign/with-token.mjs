// Passes requests on to the runtime of BATON_HOME with its token: node with-token.mjs FILE, which its address is written to.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { join } from 'node:path';

const { url, token } = JSON.parse(readFileSync(join(process.env.BATON_HOME, 'runtime.json'), 'utf8'));
const runtime = new URL(url);

const door = createServer((asked, answer) => {
  const { port } = door.address();
  // Names that mean this door mean the runtime behind it; others stay what they are, for the runtime to refuse.
  const behind = (text) => text?.replace(`:${port}`, `:${runtime.port}`);
  const headers = { ...asked.headers, host: behind(asked.headers.host), authorization: `Bearer ${token}` };
  if (headers.origin) headers.origin = behind(headers.origin);
  const passed = request(new URL(asked.url, runtime), { method: asked.method, headers }, (told) => {
    answer.writeHead(told.statusCode, told.headers);
    told.pipe(answer);
  });
  passed.on('error', () => answer.destroy());
  answer.on('close', () => passed.destroy());
  asked.pipe(passed);
});
door.listen(0, '127.0.0.1', () => {
  const [place] = process.argv.slice(2);
  writeFileSync(`${place}.new`, `http://127.0.0.1:${door.address().port}`);
  renameSync(`${place}.new`, place);
});
