import type { ArtifactKey } from "./ArtifactKey";
import type { RecordingGap } from "./RecordingGap";
export type Recording = { key: ArtifactKey, startedAt: number, endedAt: number, size: number, gaps: Array<RecordingGap>, growing?: boolean, };
