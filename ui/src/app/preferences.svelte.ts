/** What the person chose for this machine: kept in the page's own storage, never sent anywhere. */

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'baton.preferences';

export class Preferences {
  theme = $state<Theme>('system');
  notify = $state(true);
  /** What is on the page now. */
  shown = $state<'light' | 'dark'>('light');
  readonly #system = matchMedia('(prefers-color-scheme: dark)');

  constructor() {
    const kept = read();
    if (kept.theme === 'light' || kept.theme === 'dark') this.theme = kept.theme;
    if (kept.notify === false) this.notify = false;
  }

  /** Puts the theme on the page now and whenever the system's changes; the disposer stops that. */
  start(): () => void {
    this.#show();
    const show = () => this.#show();
    this.#system.addEventListener('change', show);
    return () => this.#system.removeEventListener('change', show);
  }

  chooseTheme(theme: Theme): void {
    this.theme = theme;
    this.#show();
    this.#save();
  }

  chooseNotify(notify: boolean): void {
    this.notify = notify;
    this.#save();
  }

  #show(): void {
    const dark = this.theme === 'dark' || (this.theme === 'system' && this.#system.matches);
    this.shown = dark ? 'dark' : 'light';
    document.documentElement.dataset.theme = this.shown;
  }

  #save(): void {
    localStorage.setItem(KEY, JSON.stringify({ theme: this.theme, notify: this.notify }));
  }
}

function read(): { theme?: unknown; notify?: unknown } {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
