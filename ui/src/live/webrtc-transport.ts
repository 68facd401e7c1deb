/**
 * The live view by WebRTC: WHEP makes the session, words go by the data channel `input`, pictures come by `pictures` in pieces,
 * as exact as by the WebSocket. Where that channel cannot be had or fails, the picture is the track's video.
 *
 * ```text
 *   connecting ── both channels open ──▶ pictures on the canvas
 *       └── not in time, refused, closed, unreadable ──▶ the track in the video element ◀──┘
 * ```
 */
import { Painter } from './painter';
import { BadPicture } from './picture';
import { BadPiece, Joiner, cut } from './pieces';
import { capturedAtUs } from './rtp-clock';
import type { Stage } from './stage';
import type { Surface } from './surface';
import type { Endpoint, Transport, TransportEvents } from './transport';
import { parseWord } from './words';
import type { FromViewer } from './words';

/** Longer than a connection on one machine takes. */
const CONNECT_DEADLINE_MS = 10_000;
const GATHER_DEADLINE_MS = 1_000;
/** Longer than the first piece of the first picture takes on a busy machine. */
const PICTURES_DEADLINE_MS = 20_000;
/** Bytes of the longest word that is one message; every data channel carries 64 KiB. */
const LONGEST_WORD = 60 * 2 ** 10;
const PIECE = 16 * 2 ** 10;

/** Where the picture is shown, and how it is read. */
export interface Screening {
  stage: Pick<Stage, 'video' | 'show'>;
  surface: Surface;
  decodesH264: boolean;
  /** What the source's clock shows now, in ms; `null` before the first ping is answered. */
  clockNow: () => number | null;
}

export class WebRtcTransport implements Transport {
  readonly #endpoint: Endpoint;
  readonly #screening: Screening;
  readonly #events: TransportEvents;
  readonly #connection = new RTCPeerConnection();
  readonly #painter: Painter;
  readonly #joiner = new Joiner();
  readonly #pictures: RTCDataChannel;
  readonly #words: RTCDataChannel;
  readonly #deadline: ReturnType<typeof setTimeout>;
  /** Runs while the first piece of a picture is awaited. */
  #picturesDeadline: ReturnType<typeof setTimeout> | null = null;
  /** The room's screen as video; it brings pictures only while nobody reads the channel. */
  #track: MediaStream | null = null;
  #usesTrack = false;
  #session: string | null = null;
  #frameCallback = 0;
  #over = false;

  constructor(endpoint: Endpoint, screening: Screening, events: TransportEvents) {
    this.#endpoint = endpoint;
    this.#screening = screening;
    this.#events = events;
    this.#painter = new Painter({
      surface: screening.surface,
      decodesH264: screening.decodesH264,
      say: (word) => this.say(word),
      onPainted: (picture) => events.onPainted(picture),
    });
    this.#deadline = setTimeout(() => this.#lost('WebRTC did not connect'), CONNECT_DEADLINE_MS);
    // Before the channel for words: when that one is open, the runtime knows that video is not wanted.
    this.#pictures = this.#connection.createDataChannel('pictures');
    this.#pictures.binaryType = 'arraybuffer';
    this.#words = this.#connection.createDataChannel('input');
    this.#words.binaryType = 'arraybuffer';
    this.#listenToPictures();
    this.#listenToWords();
    this.#connection.onconnectionstatechange = () => {
      if (this.#connection.connectionState === 'failed') this.#lost('the connection was lost');
    };
    this.#connection.ontrack = ({ track, receiver }) => {
      showAtOnce(receiver);
      this.#track = new MediaStream([track]);
      if (this.#usesTrack) this.#playTrack(this.#track);
    };
    this.#connect().catch((cause: unknown) => this.#lost(cause instanceof Error ? cause.message : String(cause)));
  }

  say(word: FromViewer): void {
    if (this.#words.readyState !== 'open') return;
    const text = JSON.stringify(word);
    // Of a text as short as that, no encoding is longer.
    const bytes = text.length * 3 > LONGEST_WORD ? new TextEncoder().encode(text) : null;
    if (bytes === null || bytes.length <= LONGEST_WORD) this.#words.send(text);
    else for (const piece of cut(bytes, PIECE)) this.#words.send(piece);
  }

  close(): void {
    this.#end();
  }

  #listenToWords(): void {
    this.#words.onopen = () => {
      clearTimeout(this.#deadline);
      this.#picturesDeadline = setTimeout(() => this.#useTrack(), PICTURES_DEADLINE_MS);
      this.#askForPictures();
    };
    this.#words.onclose = () => this.#lost('the connection closed');
    const joiner = new Joiner();
    this.#words.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      const text = typeof data === 'string' ? data : wholeText(joiner, data);
      const word = this.#over || text === null ? null : parseWord(text);
      if (word !== null) this.#events.onWord(word);
    };
  }

  #listenToPictures(): void {
    this.#pictures.onopen = () => this.#askForPictures();
    this.#pictures.onclose = () => {
      // When the whole connection goes, the channel for words says so.
      if (this.#words.readyState === 'open') this.#useTrack();
    };
    this.#pictures.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
      if (this.#over || this.#usesTrack) return;
      this.#forgetPicturesDeadline();
      try {
        const picture = this.#joiner.push(data);
        if (picture !== null) this.#painter.receive(picture);
      } catch (cause) {
        if (!(cause instanceof BadPiece || cause instanceof BadPicture)) throw cause;
        this.#useTrack();
      }
    };
  }

  #askForPictures(): void {
    const areOpen = this.#words.readyState === 'open' && this.#pictures.readyState === 'open';
    if (areOpen && !this.#usesTrack) this.#painter.hello();
  }

  /** Reads no more pictures from the channel; the runtime then sends video. */
  #useTrack(): void {
    if (this.#over || this.#usesTrack) return;
    this.#usesTrack = true;
    this.#forgetPicturesDeadline();
    this.#painter.close();
    this.#pictures.close();
    if (this.#track !== null) this.#playTrack(this.#track);
  }

  #playTrack(track: MediaStream): void {
    const { video, show } = this.#screening.stage;
    video.srcObject = track;
    // Muted and inline: no page may refuse to play it.
    void video.play().catch(() => undefined);
    if ('requestVideoFrameCallback' in video) this.#watchFrames();
    else show('video');
  }

  #forgetPicturesDeadline(): void {
    if (this.#picturesDeadline !== null) clearTimeout(this.#picturesDeadline);
    this.#picturesDeadline = null;
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

  /** Learns the delay; the canvas keeps the last picture until the first frame of the video. */
  #watchFrames(): void {
    if (this.#over) return;
    const { stage, clockNow } = this.#screening;
    this.#frameCallback = stage.video.requestVideoFrameCallback((_now, frame) => {
      stage.show('video');
      const clock = clockNow();
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
    this.#forgetPicturesDeadline();
    this.#painter.close();
    const { video } = this.#screening.stage;
    if ('cancelVideoFrameCallback' in video) video.cancelVideoFrameCallback(this.#frameCallback);
    this.#connection.close();
    video.srcObject = null;
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

/** Returns the text whose last piece this is, else `null`. A piece that no runtime makes is dropped, and what came of its word. */
function wholeText(joiner: Joiner, piece: ArrayBuffer): string | null {
  try {
    const whole = joiner.push(piece);
    return whole === null ? null : new TextDecoder().decode(whole);
  } catch (cause) {
    if (cause instanceof BadPiece) return null;
    throw cause;
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
