/** Which way the picture takes, and why: the view says both. */

export type Carrier = 'webrtc' | 'socket';

/** What this page can do, and what was asked of it. */
export interface Means {
  forced: Carrier | null;
  /** Whether `RTCPeerConnection` exists; WebKitGTK has none. */
  webrtc: boolean;
  /** Whether the runtime runs on this machine. */
  loopback: boolean;
  /** Whether WebRTC was tried and did not connect. */
  webrtcFailed: boolean;
}

export interface Choice {
  carrier: Carrier;
  /** One short sentence for people. */
  why: string;
}

export function choose(means: Means): Choice {
  if (!means.webrtc) return { carrier: 'socket', why: 'This page has no WebRTC.' };
  if (means.forced !== null) return { carrier: means.forced, why: 'It was asked for.' };
  if (means.webrtcFailed) return { carrier: 'socket', why: 'WebRTC did not connect.' };
  if (!means.loopback) return { carrier: 'webrtc', why: 'The sandbox is on another machine.' };
  return { carrier: 'socket', why: 'On this machine, it is the shortest way.' };
}

/** Returns what this page can do. */
export function means(wsUrl: string, forced: Carrier | null, webrtcFailed: boolean): Means {
  return {
    forced,
    webrtc: typeof RTCPeerConnection === 'function',
    loopback: isLoopback(new URL(wsUrl).hostname),
    webrtcFailed,
  };
}

export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** Whether WebCodecs decodes what the room encodes. */
export async function decodesH264(): Promise<boolean> {
  // WebKitGTK sets up its media library when it is asked what it plays; WebCodecs relies on that.
  document.createElement('video').canPlayType('video/mp4; codecs="avc1.42e01f"');
  if (typeof VideoDecoder !== 'function') return false;
  try {
    const { supported } = await VideoDecoder.isConfigSupported({
      codec: 'avc1.42e01f',
      codedWidth: 1280,
      codedHeight: 720,
      optimizeForLatency: true,
    });
    return supported === true;
  } catch {
    // A page that cannot even be asked decodes nothing.
    return false;
  }
}
