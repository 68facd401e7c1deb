/** The viewers, each loaded when it is first wanted. */
import type { Component } from 'svelte';
import type { ViewerProps } from '../../core/source';
import type { Viewer } from '../../core/viewer';

type Loads = () => Promise<{ default: Component<ViewerProps> }>;

const LOADS: Record<Exclude<Viewer, 'document'>, Loads> = {
  text: () => import('./TextViewer.svelte'),
  json: () => import('./TextViewer.svelte'),
  log: () => import('./LogViewer.svelte'),
  markdown: () => import('./MarkdownViewer.svelte'),
  html: () => import('./HtmlViewer.svelte'),
  table: () => import('./TableViewer.svelte'),
  sheet: () => import('./TableViewer.svelte'),
  image: () => import('./ImageViewer.svelte'),
  pdf: () => import('./PdfViewer.svelte'),
  video: () => import('./MediaViewer.svelte'),
  audio: () => import('./MediaViewer.svelte'),
  archive: () => import('./ArchiveViewer.svelte'),
  hex: () => import('./HexViewer.svelte'),
};

export async function loadViewer(viewer: Exclude<Viewer, 'document'>): Promise<Component<ViewerProps>> {
  return (await LOADS[viewer]()).default;
}
