import type { Recording } from "./Recording";
export type Recordings = { data: Array<Recording>, };
