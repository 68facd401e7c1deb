/** What a sandbox holds on the disk, in words. */
import type { DiskUsage } from '../types';
import { fileSize } from './time';

export type Holdings = DiskUsage;

/** Returns what the files take: `200 MB in 3 files`. */
export function filesWords({ workspaceBytes, files, truncated }: Holdings): string {
  const many = truncated ? 'more than ' : '';
  return `${fileSize(workspaceBytes)} in ${many}${files.toLocaleString('en')} ${files === 1 ? 'file' : 'files'}`;
}

/** Returns what else is held, beside the files: results and the trash. */
export function besideWords({ trashBytes, artifactBytes, checkpointBytes }: Holdings): string[] {
  return [
    ...(artifactBytes > 0 ? [`${fileSize(artifactBytes)} of results`] : []),
    ...(checkpointBytes > 0 ? [`${fileSize(checkpointBytes)} of checkpoints`] : []),
    ...(trashBytes > 0 ? [`${fileSize(trashBytes)} in the trash`] : []),
  ];
}
