/**
 * The page behind a viewer link in a real Chromium: real canvas, real decoder, real keyboard; the room is this file.
 */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, Page, WebSocketRoute } from 'playwright-core';
import { createServer } from 'vite';
import type { ViteDevServer } from 'vite';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ControlView, FromViewer, ToViewer, ViewerMode } from '../live/words';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
/** Longer than any busy machine needs. */
const PATIENCE = 60_000;
const SCREEN = { width: 320, height: 200 };
const LEASE = 5;

const CONTROL: ControlView = { mode: 'ai', yours: false, lease: null, controller: null, settling: false, since: null, lapsesAt: null, job: null, asks: null, wantedBy: null, wantedByYou: false };
const YOURS: ControlView = { ...CONTROL, mode: 'human', yours: true, lease: LEASE };

/** One sandbox as the page meets it, over as many connections as the page makes. */
class Room {
  readonly said: FromViewer[] = [];
  connections = 0;
  #socket: WebSocketRoute | null = null;
  #pictures = 0;
  readonly #mode: ViewerMode;
  control = CONTROL;

  constructor(mode: ViewerMode) {
    this.#mode = mode;
  }

  accept(socket: WebSocketRoute): void {
    this.connections += 1;
    this.#socket = socket;
    socket.onMessage((message) => {
      const word = JSON.parse(String(message)) as FromViewer;
      this.said.push(word);
      if (word.type === 'ping') this.say({ type: 'pong', sentAt: word.sentAt, clockUs: performance.now() * 1000, lapsesAt: this.control.lapsesAt ?? null });
    });
    this.say({ type: 'welcome', viewerId: 'view_1', mode: this.#mode, screen: SCREEN, transport: 'socket' });
    this.say({ type: 'control', control: this.control });
  }

  say(word: ToViewer): void {
    this.#socket?.send(JSON.stringify(word));
  }

  give(control: ControlView): void {
    this.control = control;
    this.say({ type: 'control', control });
  }

  /** Parts of one colour each: x, y, width, height, then red, green, blue. */
  solid(...parts: [x: number, y: number, w: number, h: number, r: number, g: number, b: number][]): number {
    const words = (...values: number[]) => values.flatMap((value) => [value & 255, value >> 8]);
    const body = [
      ...words(0, parts.length, 0, parts.length),
      ...words(0, 0),
      ...parts.flatMap(([x, y, w, h]) => words(x, y, w, h)),
      ...parts.flatMap(([, , , , r, g, b]) => [r, g, b, 255]),
      ...parts.flatMap(([, , w, h], n) => Array<number>(w * h).fill(n)),
    ];
    return this.#picture(1, 2, Buffer.from(body));
  }

  /** A frame of a film that fills the screen. */
  h264(accessUnit: Buffer, key: boolean): number {
    const place = Buffer.alloc(8);
    place.writeUInt16LE(SCREEN.width, 4);
    place.writeUInt16LE(SCREEN.height, 6);
    return this.#picture(2, key ? 1 : 0, Buffer.concat([place, accessUnit]));
  }

  #picture(kind: number, flags: number, body: Buffer): number {
    this.#pictures += 1;
    const header = Buffer.alloc(20);
    header.writeUInt8(kind, 0);
    header.writeUInt8(flags, 1);
    header.writeUInt8(2, 2);
    header.writeUInt32LE(this.#pictures, 4);
    header.writeBigUInt64LE(BigInt(Math.round(performance.now() * 1000)), 8);
    header.writeUInt16LE(SCREEN.width, 16);
    header.writeUInt16LE(SCREEN.height, 18);
    this.#socket?.send(Buffer.concat([header, body]));
    return this.#pictures;
  }

  async drop(): Promise<void> {
    await this.#socket?.close();
  }

  async heard<T extends FromViewer['type']>(type: T, matches: (word: Extract<FromViewer, { type: T }>) => boolean = () => true): Promise<Extract<FromViewer, { type: T }>> {
    const found = () => this.said.find((word): word is Extract<FromViewer, { type: T }> => word.type === type && matches(word as Extract<FromViewer, { type: T }>));
    await expect.poll(found, { timeout: PATIENCE, message: `a word "${type}"` }).toBeTruthy();
    return found()!;
  }

  inputs(): string[] {
    return this.said.flatMap((word) => (word.type === 'input' && word.event.kind !== 'move' ? [JSON.stringify(word.event)] : []));
  }
}

describe.skipIf(!existsSync(CHROMIUM))('the viewer page', { timeout: PATIENCE * 2 }, () => {
  let vite: ViteDevServer;
  let browser: Browser;
  let context: BrowserContext;
  let origin: string;

  beforeAll(async () => {
    vite = await createServer({ root: `${import.meta.dirname}/../..`, logLevel: 'error', server: { host: '127.0.0.1', port: 0, hmr: false, ws: false } });
    await vite.listen();
    const address = vite.httpServer?.address();
    if (typeof address !== 'object' || address === null) throw new Error('the page is served nowhere');
    origin = `http://127.0.0.1:${address.port}`;
    browser = await chromium.launch({ executablePath: CHROMIUM });
  }, PATIENCE * 2);

  afterAll(async () => {
    await browser?.close();
    await vite?.close();
  });

  afterEach(async () => {
    await context?.close();
  });

  async function open(mode: ViewerMode, query = '', redeemed = 200): Promise<{ page: Page; room: Room }> {
    context = await browser.newContext({ viewport: { width: 800, height: 560 }, permissions: ['clipboard-read', 'clipboard-write'] });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    const room = new Room(mode);
    await page.route('**/v1/tickets/redeem', (route) =>
      route.fulfill({ status: redeemed, json: redeemed === 200 ? { token: 'secret-token', sandboxId: 'sbx_1', mode } : { error: { code: 'notFound' } } }),
    );
    await page.route('**/v1/sandboxes/*/whep', (route) => route.fulfill({ status: 503, json: {} }));
    await page.routeWebSocket(/\/v1\/sandboxes\/sbx_1\/stream$/, (socket) => room.accept(socket));
    await page.goto(`${origin}/viewer.html${query}#ticket=once`);
    return { page, room };
  }

  async function isIn(page: Page, state: Record<string, string>): Promise<void> {
    for (const [name, value] of Object.entries(state)) await page.locator(`body[data-${name}="${value}"]`).waitFor({ state: 'attached', timeout: PATIENCE });
  }

  async function pixel(page: Page, x: number, y: number): Promise<number[]> {
    return page.evaluate(([left, top]) => [...document.querySelector('canvas')!.getContext('2d')!.getImageData(left!, top!, 1, 1).data], [x, y]);
  }

  /** Where a pixel of the screen is on the page. */
  async function placeOf(page: Page, x: number, y: number): Promise<[number, number]> {
    const box = (await page.locator('canvas').boundingBox())!;
    const scale = Math.min(box.width / SCREEN.width, box.height / SCREEN.height);
    const left = box.x + (box.width - SCREEN.width * scale) / 2;
    const top = box.y + (box.height - SCREEN.height * scale) / 2;
    return [left + (x + 0.5) * scale, top + (y + 0.5) * scale];
  }

  test('the ticket leaves the address at once, and the token is in none', async () => {
    const { page, room } = await open('watch');
    await isIn(page, { state: 'live', driver: 'agent', carrier: 'socket' });
    expect(page.url()).toBe(`${origin}/viewer.html`);
    await room.heard('hello');
    expect(await page.evaluate(() => document.documentElement.outerHTML)).not.toContain('secret-token');
    expect(await page.getByRole('button', { name: /Take control/ }).count()).toBe(0);
  });

  test('a used ticket is said in words, without a picture', async () => {
    const { page } = await open('watch', '', 404);
    await isIn(page, { state: 'refused' });
    await page.getByText('This link no longer works').waitFor();
  });

  test('lossless pictures are exact, in order, and acknowledged after they are painted', async () => {
    const { page, room } = await open('watch');
    await room.heard('hello', ({ h264 }) => typeof h264 === 'boolean');
    const under = room.solid([0, 0, 320, 200, 10, 20, 30]);
    await room.heard('shown', ({ picture }) => picture === under);
    const first = room.solid([64, 64, 64, 64, 200, 100, 50]);
    await room.heard('shown', ({ picture }) => picture === first);
    expect(await pixel(page, 1, 1)).toEqual([10, 20, 30, 255]);
    expect(await pixel(page, 64, 64)).toEqual([200, 100, 50, 255]);
    expect(await pixel(page, 127, 127)).toEqual([200, 100, 50, 255]);
    expect(await pixel(page, 128, 128)).toEqual([10, 20, 30, 255]);
    await isIn(page, { picture: 'exact' });
    await page.getByText(/^\d+ ms · exact$/).waitFor();
  });

  test('a video picture is decoded and painted in its place between lossless ones', async () => {
    const { page, room } = await open('watch');
    const hello = await room.heard('hello');
    const unit = hello.h264 ? await encoded(page) : null;
    if (unit === null) return console.warn('skipped: this Chromium has no H.264 codec');
    const first = room.h264(unit, true);
    const second = room.solid([0, 0, 16, 16, 1, 2, 3]);
    await room.heard('shown', ({ picture }) => picture === second);
    const order = room.said.flatMap((word) => (word.type === 'shown' ? [word.picture] : []));
    expect(order).toEqual([first, second]);
    expect(await pixel(page, 0, 0)).toEqual([1, 2, 3, 255]);
    const [red, green, blue] = await pixel(page, 200, 100);
    expect(red).toBeGreaterThan(180);
    expect(green).toBeLessThan(70);
    expect(blue).toBeLessThan(70);
  });

  test('a decoder that fails asks for pictures it can show', async () => {
    const { page, room } = await open('watch');
    const hello = await room.heard('hello');
    if (!hello.h264) return console.warn('skipped: this Chromium has no H.264 codec');
    room.h264(Buffer.from([0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0xff, 0xff, 0, 0, 0, 1, 0x65, 0xff, 0xff]), true);
    await room.heard('hello', ({ h264 }) => !h264);
    const whole = room.solid([0, 0, 320, 200, 9, 9, 9]);
    await room.heard('shown', ({ picture }) => picture === whole);
    expect(await pixel(page, 5, 5)).toEqual([9, 9, 9, 255]);
  });

  test('a person takes control, clicks, types, pastes, composes and hands back', async () => {
    const { page, room } = await open('control');
    await isIn(page, { state: 'live' });
    const whole = room.solid([0, 0, 320, 200, 250, 250, 250]);
    await room.heard('shown', ({ picture }) => picture === whole);

    // Nothing is sent while the agent drives.
    await page.mouse.click(...(await placeOf(page, 30, 40)));
    await page.getByRole('button', { name: /Take control/ }).click();
    await room.heard('take', ({ controller }) => controller !== '');
    expect(room.inputs()).toEqual([]);
    room.give(YOURS);
    await isIn(page, { driver: 'you' });

    await page.mouse.move(...(await placeOf(page, 10, 10)));
    await page.mouse.click(...(await placeOf(page, 100, 50)));
    await page.keyboard.type('aB');
    await page.evaluate(() => navigator.clipboard.writeText('from the host'));
    await page.keyboard.press('Control+v');
    await room.heard('paste', ({ text, lease }) => text === 'from the host' && lease === LEASE);
    await page.mouse.wheel(0, 200);
    await room.heard('input', ({ event }) => event.kind === 'wheel');
    const cdp = await context.newCDPSession(page);
    await cdp.send('Input.imeSetComposition', { text: 'にほ', selectionStart: 2, selectionEnd: 2 });
    await room.heard('input', ({ event }) => event.kind === 'compose');
    expect(await page.locator('output', { hasText: 'にほ' }).isHidden(), 'the sandbox shows it').toBe(true);
    room.say({ type: 'composing', inPage: false });
    await page.locator('output', { hasText: 'にほ' }).waitFor();
    await cdp.send('Input.insertText', { text: '日本' });
    await room.heard('input', ({ event }) => event.kind === 'text');
    // An input method that gives up.
    await cdp.send('Input.imeSetComposition', { text: 'ご', selectionStart: 1, selectionEnd: 1 });
    await cdp.send('Input.imeSetComposition', { text: '', selectionStart: 0, selectionEnd: 0 });
    await room.heard('input', ({ event }) => event.kind === 'compose' && event.text === '');

    const button = (down: boolean) => JSON.stringify({ kind: 'button', button: 0, down, x: 100, y: 50 });
    const key = (code: string, name: string, down: boolean) => JSON.stringify({ kind: 'key', code, key: name, down });
    const compose = (text: string) => JSON.stringify({ kind: 'compose', text });
    expect(room.inputs()).toEqual([
      button(true),
      button(false),
      key('KeyA', 'a', true),
      key('KeyA', 'a', false),
      key('KeyB', 'B', true),
      key('KeyB', 'B', false),
      // Ctrl goes up before the paste, which brings its own.
      key('ControlLeft', 'Control', true),
      key('ControlLeft', 'Control', false),
      JSON.stringify({ kind: 'wheel', dx: 0, dy: 2, x: 100, y: 50 }),
      compose('にほ'),
      // What is committed is composed once more, as browsers tell it.
      compose('日本'),
      JSON.stringify({ kind: 'text', text: '日本' }),
      compose('ご'),
      compose(''),
    ]);
    const events = room.said.flatMap((word) => (word.type === 'input' ? [word.event] : []));
    // The pointer's place is told before its button.
    const press = events.findIndex((event) => event.kind === 'button');
    expect(events[press - 1]).toEqual({ kind: 'move', x: 100, y: 50 });

    await page.keyboard.press('F9');
    await page.getByRole('textbox', { name: /note for the agent/i }).fill('signed in');
    await room.heard('input', ({ event }) => event.kind === 'blur');
    await page.keyboard.press('Enter');
    await room.heard('handBack', ({ note }) => note === 'signed in');
    room.give(CONTROL);
    await isIn(page, { driver: 'agent' });
    const before = room.inputs().length;
    await page.mouse.click(...(await placeOf(page, 30, 40)));
    await page.keyboard.type('x');
    expect(room.inputs().length).toBe(before);
  });

  test('text copied in the sandbox reaches the clipboard of the person who drives', async () => {
    const { page, room } = await open('control');
    await isIn(page, { state: 'live' });
    room.give(YOURS);
    await isIn(page, { driver: 'you' });
    await page.mouse.click(...(await placeOf(page, 30, 40)));
    room.say({ type: 'clipboard', text: 'from the sandbox' });
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText()), { timeout: PATIENCE }).toBe('from the sandbox');
  });

  test('a refusal is shown, and goes away when control comes', async () => {
    const { page, room } = await open('control');
    await isIn(page, { state: 'live' });
    room.say({ type: 'denied', code: 'heldByOther', message: 'somebody else holds control' });
    await page.getByText('somebody else holds control').waitFor();
    room.give(YOURS);
    await page.getByText('The agent cannot see or touch this.').waitFor();
  });

  test('a lost connection says so and comes back by itself', async () => {
    const { page, room } = await open('watch');
    await isIn(page, { state: 'live' });
    await room.drop();
    await expect.poll(() => room.connections, { timeout: PATIENCE }).toBeGreaterThan(1);
    await isIn(page, { state: 'live' });
  });

  test('an ended sandbox is not asked again', async () => {
    const { page, room } = await open('watch');
    await isIn(page, { state: 'live' });
    room.say({ type: 'ended', reason: 'gone' });
    await isIn(page, { state: 'ended' });
    await page.getByText('This sandbox has ended').waitFor();
    expect(room.connections).toBe(1);
  });

  test('WebRTC that was asked for and fails is tried again, not hidden', async () => {
    const { page, room } = await open('watch', '?transport=webrtc');
    await isIn(page, { state: 'lost', carrier: 'webrtc' });
    expect(room.connections).toBe(0);
  });

  /** One red key frame as Annex B, by this Chromium's own encoder; `null` where it has none. */
  async function encoded(page: Page): Promise<Buffer | null> {
    const base64 = await page.evaluate(async ({ width, height }) => {
      const config: VideoEncoderConfig = { codec: 'avc1.42001f', width, height, avc: { format: 'annexb' }, latencyMode: 'realtime' };
      if (typeof VideoEncoder !== 'function' || (await VideoEncoder.isConfigSupported(config)).supported !== true) return null;
      const chunks: Uint8Array[] = [];
      const encoder = new VideoEncoder({
        output: (chunk) => {
          const bytes = new Uint8Array(chunk.byteLength);
          chunk.copyTo(bytes);
          chunks.push(bytes);
        },
        error: () => undefined,
      });
      encoder.configure(config);
      const red = new OffscreenCanvas(width, height);
      const context = red.getContext('2d')!;
      context.fillStyle = '#e00000';
      context.fillRect(0, 0, width, height);
      const frame = new VideoFrame(red, { timestamp: 0 });
      encoder.encode(frame, { keyFrame: true });
      frame.close();
      await encoder.flush();
      encoder.close();
      return btoa(String.fromCharCode(...chunks[0]!));
    }, SCREEN);
    return base64 === null ? null : Buffer.from(base64, 'base64');
  }
});
