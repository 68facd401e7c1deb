/** What the person chose for this machine: kept in the page's own storage, never sent anywhere. */

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'baton.preferences';

export class Preferences {
  theme = $state<Theme>('system');
  notify = $state(true);
  /** Whether key steps of the story show their pictures. */
  pictures = $state(true);
  /** Whether what the demo has shown was read. */
  demoSeen = $state(false);
  /** What is on the page now. */
  shown = $state<'light' | 'dark'>('light');
  readonly #system = matchMedia('(prefers-color-scheme: dark)');

  constructor() {
    const kept = read();
    if (kept.theme === 'light' || kept.theme === 'dark') this.theme = kept.theme;
    if (kept.notify === false) this.notify = false;
    if (kept.pictures === false) this.pictures = false;
    if (kept.demoSeen === true) this.demoSeen = true;
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

  choosePictures(pictures: boolean): void {
    this.pictures = pictures;
    this.#save();
  }

  closeDemo(): void {
    this.demoSeen = true;
    this.#save();
  }

  #show(): void {
    const dark = this.theme === 'dark' || (this.theme === 'system' && this.#system.matches);
    this.shown = dark ? 'dark' : 'light';
    document.documentElement.dataset.theme = this.shown;
  }

  #save(): void {
    localStorage.setItem(KEY, JSON.stringify({ theme: this.theme, notify: this.notify, pictures: this.pictures, demoSeen: this.demoSeen }));
  }
}

function read(): { theme?: unknown; notify?: unknown; pictures?: unknown; demoSeen?: unknown } {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
