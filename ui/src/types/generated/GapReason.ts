export type GapReason = "person" | "typed" | "browser" | "limit" | "diskFull";
