/**
 * The live view by WebRTC: WHEP makes the session, the picture is a video element, words go by the data channel `input`.
 */
import { capturedAtUs } from './rtp-clock';
import type { Endpoint, Transport, TransportEvents } from './transport';
import { parseWord } from './words';
import type { FromViewer } from './words';

/** Longer than a connection on one machine takes. */
const CONNECT_DEADLINE_MS = 10_000;
const GATHER_DEADLINE_MS = 1_000;

export class WebRtcTransport implements Transport {
  readonly #endpoint: Endpoint;
  readonly #video: HTMLVideoElement;
  readonly #events: TransportEvents;
  /** What the source's clock shows now, in ms; `null` before the first ping is answered. */
  readonly #clockNow: () => number | null;
  readonly #connection = new RTCPeerConnection();
  readonly #words: RTCDataChannel;
  readonly #deadline: ReturnType<typeof setTimeout>;
  #session: string | null = null;
  #frameCallback = 0;
  #over = false;

  constructor(endpoint: Endpoint, video: HTMLVideoElement, clockNow: () => number | null, events: TransportEvents) {
    this.#endpoint = endpoint;
    this.#video = video;
    this.#clockNow = clockNow;
    this.#events = events;
    this.#deadline = setTimeout(() => this.#lost('WebRTC did not connect'), CONNECT_DEADLINE_MS);
    this.#words = this.#connection.createDataChannel('input');
    this.#words.onopen = () => clearTimeout(this.#deadline);
    this.#words.onclose = () => this.#lost('the connection closed');
    this.#words.onmessage = ({ data }: MessageEvent<string>) => {
      const word = this.#over ? null : parseWord(data);
      if (word !== null) this.#events.onWord(word);
    };
    this.#connection.onconnectionstatechange = () => {
      if (this.#connection.connectionState === 'failed') this.#lost('the connection was lost');
    };
    this.#connection.ontrack = ({ track, receiver }) => {
      showAtOnce(receiver);
      this.#video.srcObject = new MediaStream([track]);
      // Muted and inline: no page may refuse to play it.
      void this.#video.play().catch(() => undefined);
      this.#watchFrames();
    };
    this.#connect().catch((cause: unknown) => this.#lost(cause instanceof Error ? cause.message : String(cause)));
  }

  say(word: FromViewer): void {
    if (this.#words.readyState === 'open') this.#words.send(JSON.stringify(word));
  }

  close(): void {
    this.#end();
  }

  async #connect(): Promise<void> {
    this.#connection.addTransceiver('video', { direction: 'recvonly' });
    await this.#connection.setLocalDescription(await this.#connection.createOffer());
    await gathered(this.#connection);
    const whep = whepUrl(this.#endpoint.wsUrl);
    const response = await fetch(whep, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#endpoint.token}`, 'content-type': 'application/sdp' },
      body: this.#connection.localDescription?.sdp ?? '',
    });
    if (!response.ok) throw new Error(`the runtime refused WebRTC (${response.status})`);
    const location = response.headers.get('location');
    this.#session = location === null ? null : new URL(location, whep).href;
    const answer = await response.text();
    if (this.#over) this.#leave();
    else await this.#connection.setRemoteDescription({ type: 'answer', sdp: answer });
  }

  #watchFrames(): void {
    // Only the delay is learnt from it; without it the picture is the same.
    if (this.#over || !('requestVideoFrameCallback' in this.#video)) return;
    this.#frameCallback = this.#video.requestVideoFrameCallback((_now, frame) => {
      const clock = this.#clockNow();
      const { rtpTimestamp } = frame;
      const known = clock !== null && rtpTimestamp !== undefined;
      this.#events.onPainted({ capturedAtUs: known ? capturedAtUs(rtpTimestamp, clock) : 0, exact: false });
      this.#watchFrames();
    });
  }

  #lost(reason: string): void {
    if (this.#over) return;
    this.#end();
    this.#events.onLost(reason);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#deadline);
    if ('cancelVideoFrameCallback' in this.#video) this.#video.cancelVideoFrameCallback(this.#frameCallback);
    this.#connection.close();
    this.#video.srcObject = null;
    this.#leave();
  }

  #leave(): void {
    if (this.#session === null) return;
    // The session ends by itself when the connection does; this only makes it sooner, also from a page that closes.
    void fetch(this.#session, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${this.#endpoint.token}` },
      keepalive: true,
    }).catch(() => undefined);
    this.#session = null;
  }
}

/** Returns the address of WHEP beside the stream's: `ws://…/stream` → `http://…/whep`. */
export function whepUrl(wsUrl: string): string {
  return wsUrl.replace(/^ws/, 'http').replace(/\/stream(?=$|\?)/, '/whep');
}

/** Asks the receiver to hold nothing back. */
function showAtOnce(receiver: RTCRtpReceiver): void {
  if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
}

/** Waits until the offer names its addresses; an offer without any is still answered, the runtime learns them. */
async function gathered(connection: RTCPeerConnection): Promise<void> {
  if (connection.iceGatheringState === 'complete') return;
  await new Promise<void>((resolve) => {
    const deadline = setTimeout(resolve, GATHER_DEADLINE_MS);
    connection.addEventListener('icegatheringstatechange', () => {
      if (connection.iceGatheringState !== 'complete') return;
      clearTimeout(deadline);
      resolve();
    });
  });
}
