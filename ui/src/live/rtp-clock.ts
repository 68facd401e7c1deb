/** The RTP clock of the picture track: the source's own clock at 90 kHz, wrapped to 32 bits. */

const TICKS_PER_MS = 90;
const WRAP = 2 ** 32;

/**
 * Returns when a frame was captured, in µs of the source's clock, given its RTP time and what that clock shows now (ms).
 *
 * The nearest moment with these low bits: right as long as the frame is younger than half a day.
 */
export function capturedAtUs(rtpTimestamp: number, clockNowMs: number): number {
  const nowTicks = clockNowMs * TICKS_PER_MS;
  const wraps = Math.round((nowTicks - rtpTimestamp) / WRAP);
  return ((rtpTimestamp + wraps * WRAP) * 1000) / TICKS_PER_MS;
}
