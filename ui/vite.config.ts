/// <reference types="vitest/config" />
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

/** Pages of the interface: the whole of it, the small page behind a viewer link, and the reason of a start that failed. */
const pages = ['index.html', 'viewer.html', 'not-started.html'].map((page) => resolve(import.meta.dirname, page)).filter(existsSync);

export default defineConfig({
  plugins: [svelte()],
  // Relative addresses: the same files are served by `baton serve` and from inside the desktop application.
  base: './',
  build: {
    target: ['es2022', 'safari16.4'],
    // Everything is served from the program itself: a data: address would only widen the content policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: pages },
  },
  test: { include: ['src/**/*.test.ts', 'tests/**/*.test.ts'], environment: 'node' },
});
