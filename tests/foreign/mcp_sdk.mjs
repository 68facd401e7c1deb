// The official SDK of the Model Context Protocol: node mcp_sdk.mjs stdio PROGRAM, or node mcp_sdk.mjs http ADDRESS TOKEN
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { failure, walk } from './steps.mjs';

const [kind, place, token] = process.argv.slice(2);
const client = new Client({ name: 'baton-tests', version: '1' });
let sandboxId, requestId;

const transport = () =>
  kind === 'stdio'
    ? new StdioClientTransport({ command: place, args: ['mcp'], env: process.env, stderr: 'inherit' })
    : new StreamableHTTPClientTransport(new URL(place), { requestInit: { headers: { Authorization: `Bearer ${token}` } } });

async function call(name, args = {}, options) {
  const { content, structuredContent, isError } = await client.callTool({ name, arguments: args }, undefined, options);
  const text = content.filter((part) => part.type === 'text').map((part) => part.text).join('\n');
  const picture = content.find((part) => part.type === 'image');
  return { text, data: structuredContent, failed: isError === true, picture: picture && `${picture.mimeType} ${picture.data.length}` };
}

/** The reference in the line of a snapshot that holds the words. */
const ref = (snapshot, words) => snapshot.text.split('\n').find((line) => line.includes(words)).match(/\[ref=(\w+)\]/)[1];

await walk({
  async connect() {
    await client.connect(transport());
    const { tools } = await client.listTools();
    return { tools: tools.map((tool) => tool.name).sort(), instructions: client.getInstructions().length };
  },
  async launch() {
    const launched = await call('sandbox_launch', { name: 'From an MCP client' });
    sandboxId = launched.data.id;
    return launched.data;
  },
  async drive() {
    await call('browser_navigate', { sandboxId, url: 'http://portal.example/' });
    const seen = await call('browser_snapshot', { sandboxId });
    const clicked = await call('browser_click', { sandboxId, ref: ref(seen, 'link "Invoices"') });
    const then = await call('browser_snapshot', { sandboxId });
    await call('browser_type', { sandboxId, ref: ref(then, 'E-mail'), text: 'ada@portal.example' });
    await call('browser_type', { sandboxId, ref: ref(then, 'Password'), text: 'canary-7781' });
    const { picture } = await call('browser_screenshot', { sandboxId });
    const ran = await call('sandbox_exec', { sandboxId, command: 'echo', args: ['done'] });
    await call('fs_write', { sandboxId, path: 'notes/a.txt', content: 'kept' });
    const read = await call('fs_read', { sandboxId, path: 'notes/a.txt' });
    return { seen: seen.text, clicked: clicked.text, then: then.text, picture, ran: ran.data.stdout, read: read.text };
  },
  async ask() {
    const asked = await call('handoff_request', { sandboxId, reason: 'mfa', message: 'Sign in, then hand back' });
    requestId = asked.data.requestId;
    const early = await call('handoff_wait', { requestId, timeoutMs: 10 });
    return { text: asked.text, link: asked.data.viewerUrl, early: early.data.ended };
  },
  async held() {
    const clicked = await call('browser_click', { sandboxId, role: 'button', name: 'Continue' });
    const seen = await call('browser_snapshot', { sandboxId });
    const ran = await call('sandbox_exec', { sandboxId, command: 'echo', args: ['meanwhile'] });
    return { clicked, seen, ran: ran.data.stdout, requestId };
  },
  async back() {
    let waited;
    do waited = await call('handoff_wait', { requestId, timeoutMs: 20_000 });
    while (!waited.data.ended);
    const old = await call('browser_click', { sandboxId, ref: 'e1' });
    const navigated = await call('browser_navigate', { sandboxId, url: 'http://portal.example/' });
    const tabs = await call('browser_tabs', { sandboxId });
    return { status: waited.data.status, old, navigated: navigated.failed, tabs: tabs.data.data.length };
  },
  async progress() {
    let told = 0;
    const args = { sandboxId, command: 'bash', args: ['-c', 'for i in 1 2 3; do echo $i; sleep 1; done'] };
    await call('sandbox_exec', args, { onprogress: () => (told += 1), resetTimeoutOnProgress: true });
    return told;
  },
  async cancel() {
    const stop = new AbortController();
    const args = { sandboxId, command: 'bash', args: ['-c', 'touch begun; sleep 300'] };
    const calling = failure(call('sandbox_exec', args, { signal: stop.signal }));
    while ((await call('fs_list', { sandboxId })).data.data.every((entry) => entry.path !== 'begun')) continue;
    stop.abort();
    return { failed: await calling, still: (await call('sandbox_list')).data.data.length };
  },
  async prompt() {
    return call('task_prompt', { sandboxId, prompt: 'Do something' });
  },
  async leave() {
    await call('sandbox_end', { sandboxId });
    await client.close();
    return true;
  },
});
