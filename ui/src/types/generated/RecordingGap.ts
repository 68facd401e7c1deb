import type { GapReason } from "./GapReason";
export type RecordingGap = { from: number, to: number, why: GapReason, };
