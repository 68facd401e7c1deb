/**
 * The live view of a sandbox, for the interface and for the page behind a viewer link.
 *
 * ```text
 *   LiveView ─▶ Transport: socket ───────────▶ Painter ─▶ Order ─▶ Surface (canvas) ◀─ Raster ◀─ LZ4
 *      │                   webrtc ─▶ Joiner ──┘
 *      │                     └─▶ video element, where it has no channel for pictures
 *      └─▶ Input (overlay) ─▶ geometry, keys, wheel
 * ```
 * No framework and no library: plain classes over the page's own means.
 */
export { CALM_AFTER_INPUT_MS, LiveView } from './view';
export type { LiveOptions } from './view';
export { chip, pictureOf } from './state';
export type { Connection, LiveState } from './state';
export type { Carrier } from './choose';
export { showTile } from './tile';
export type { Endpoint } from './transport';
