// The MCP server of Chrome's DevTools, connected to an address: node devtools.mjs ADDRESS SITE TOKEN
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { walk } from './steps.mjs';

const [address, site, token] = process.argv.slice(2);
const client = new Client({ name: 'baton-tests', version: '1' });
const args = ['node_modules/chrome-devtools-mcp/build/src/bin/chrome-devtools-mcp.js', '--no-usage-statistics', '--no-performance-crux'];
args.push('--wsEndpoint', address, '--wsHeaders', JSON.stringify({ Authorization: `Bearer ${token}` }));

async function call(name, given = {}) {
  const { content, isError } = await client.callTool({ name, arguments: name === 'list_pages' ? given : { pageId: 1, ...given } });
  const text = content.map((part) => part.text ?? `(${part.type})`).join('\n');
  return { text, failed: isError === true };
}

/** The id in the line of a snapshot that holds the words. */
const uid = (text, words) => text.split('\n').find((line) => line.includes(words)).match(/uid=(\S+)/)[1];

await walk({
  async connect() {
    await client.connect(new StdioClientTransport({ command: 'node', args, env: { ...process.env, CI: '1' }, stderr: 'ignore' }));
    return (await call('list_pages')).text;
  },
  async drive() {
    await call('navigate_page', { type: 'url', url: `${site}/counter` });
    const { text } = await call('take_snapshot');
    await call('click', { uid: uid(text, 'button "Count"') });
    const counted = await call('evaluate_script', { function: '() => count.textContent' });
    return { seen: text, counted: counted.text, picture: (await call('take_screenshot')).text };
  },
  async held() {
    return {
      counted: await call('evaluate_script', { function: '() => count.textContent' }),
      navigated: await call('navigate_page', { type: 'url', url: `${site}/counter`, timeout: 3000 }),
    };
  },
  async back() {
    const { text } = await call('take_snapshot');
    await call('click', { uid: uid(text, 'button "Count"') });
    return (await call('evaluate_script', { function: '() => count.textContent' })).text;
  },
  async leave() {
    await client.close();
    return true;
  },
});
