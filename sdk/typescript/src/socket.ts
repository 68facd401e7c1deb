/** A WebSocket, as far as terminals use one. */
export interface Socket {
  onBytes: (bytes: Uint8Array) => void;
  onEnd: () => void;
  send(message: string | Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/** Opens a WebSocket: the platform's own, or in Node 20, which has none, one over `node:http`. */
export function openSocket(address: string, protocols: string[]): Promise<Socket> {
  return typeof WebSocket === 'undefined' ? openInNode(address, protocols) : openOwn(address, protocols);
}

function openOwn(address: string, protocols: string[]): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const own = new WebSocket(address, protocols);
    own.binaryType = 'arraybuffer';
    const socket: Socket = {
      onBytes: () => undefined,
      onEnd: () => undefined,
      send: (message) => own.send(message),
      close: () => own.close(),
    };
    own.onopen = () => resolve(socket);
    own.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) socket.onBytes(new Uint8Array(data));
    };
    own.onclose = () => {
      socket.onEnd();
      reject(new Error('the WebSocket was closed'));
    };
  });
}

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** The client's side of RFC 6455 without extensions: messages are read whole, and every frame that is sent is masked. */
async function openInNode(address: string, protocols: string[]): Promise<Socket> {
  const [{ request }, { randomBytes }] = await Promise.all([import('node:http'), import('node:crypto')]);
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    'Sec-WebSocket-Protocol': protocols.join(', '),
  };
  return new Promise((resolve, reject) => {
    const asking = request(address.replace(/^ws/, 'http'), { headers });
    asking.on('error', reject);
    asking.on('response', (response) => {
      response.resume();
      reject(new Error(`the WebSocket was refused with ${response.statusCode}`));
    });
    asking.on('upgrade', (_response, wire, head) => {
      const frame = (kind: number, payload: Uint8Array) => {
        const mask = randomBytes(4);
        const long = payload.length > 65_535 ? 8 : payload.length > 125 ? 2 : 0;
        const start = Buffer.alloc(2 + long);
        start[0] = 0x80 | kind;
        start[1] = 0x80 | (long === 8 ? 127 : long === 2 ? 126 : payload.length);
        if (long === 2) start.writeUInt16BE(payload.length, 2);
        if (long === 8) start.writeBigUInt64BE(BigInt(payload.length), 2);
        wire.write(Buffer.concat([start, mask, payload.map((byte, at) => byte ^ mask[at % 4]!)]));
      };
      const socket: Socket = {
        onBytes: () => undefined,
        onEnd: () => undefined,
        send: (message) => (typeof message === 'string' ? frame(TEXT, Buffer.from(message)) : frame(BINARY, message)),
        close: () => {
          frame(CLOSE, new Uint8Array());
          wire.end();
        },
      };
      let rest = Buffer.from(head);
      let message: Buffer[] = [];
      let kind = 0;
      const read = () => {
        for (;;) {
          const found = frameIn(rest);
          if (found === null) return;
          rest = rest.subarray(found.end);
          if (found.kind === PING) frame(PONG, found.payload);
          if (found.kind === CLOSE) return void wire.end();
          if (found.kind >= CLOSE) continue;
          if (found.kind !== 0) kind = found.kind;
          message.push(found.payload);
          if (!found.last) continue;
          if (kind === BINARY) socket.onBytes(new Uint8Array(Buffer.concat(message)));
          message = [];
        }
      };
      wire.on('data', (bytes: Buffer) => {
        rest = Buffer.concat([rest, bytes]);
        read();
      });
      wire.on('error', () => undefined);
      wire.on('close', () => socket.onEnd());
      resolve(socket);
      queueMicrotask(read);
    });
    asking.end();
  });
}

/** The frame that begins `bytes`; `null` while it is not whole. */
function frameIn(bytes: Buffer): { last: boolean; kind: number; payload: Buffer; end: number } | null {
  if (bytes.length < 2) return null;
  const short = bytes[1]! & 0x7f;
  const start = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (bytes.length < start) return null;
  const length = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
  const end = start + length;
  if (bytes.length < end) return null;
  return { last: (bytes[0]! & 0x80) !== 0, kind: bytes[0]! & 0x0f, payload: bytes.subarray(start, end), end };
}
