/** What tests run inside a page that shows the live view by WebRTC. */

/** Before anything else of the page: keeps the connection, to ask the browser itself what came over it. */
export function keepConnection() {
  const Real = RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(...settings) {
      super(...settings);
      window.connection = this;
    }
  };
}

/** A number for what the canvas shows, the same for the same pixels; `null` before the first picture. */
export function pictureHash() {
  const canvas = document.querySelector('canvas');
  if (!canvas?.width || document.body.dataset.picture === '') return null;
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let hash = 7;
  for (let at = 0; at < data.length; at += 4) hash = (Math.imul(hash, 31) + ((data[at] << 16) | (data[at + 1] << 8) | data[at + 2])) | 0;
  return hash;
}

/** What the browser itself says of the connection. */
export async function overTheConnection() {
  const all = [...(await window.connection.getStats()).values()];
  const video = all.find((report) => report.type === 'inbound-rtp' && report.kind === 'video');
  const channel = (label) => all.find((report) => report.type === 'data-channel' && report.label === label);
  return {
    state: window.connection.connectionState,
    codec: all.find((report) => report.id === video?.codecId)?.mimeType ?? null,
    framesDecoded: video?.framesDecoded ?? 0,
    wordsSent: channel('input')?.messagesSent ?? 0,
    pieces: channel('pictures')?.messagesReceived ?? 0,
  };
}
