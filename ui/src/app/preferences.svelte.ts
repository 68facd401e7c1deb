/** What the person chose for this machine: kept in the page's own storage, never sent anywhere. */
import { PANES_UNCHOSEN, readPanes, type PaneChoice } from '../core/panes';
import { readKept } from './kept';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'baton.preferences';

export class Preferences {
  theme = $state<Theme>('system');
  notify = $state(true);
  /** Whether key steps of the story show their pictures. */
  pictures = $state(true);
  /** Whether what the demo has shown was read. */
  demoSeen = $state(false);
  panes = $state.raw<PaneChoice>(PANES_UNCHOSEN);
  /** Whether the page takes the stage's size when the person takes control. */
  fitsWhenDriving = $state(false);
  /** Whether what the agent is about to do is drawn over the picture. */
  showsAim = $state(true);
  /** What is on the page now. */
  shown = $state<'light' | 'dark'>('light');
  readonly #system = matchMedia('(prefers-color-scheme: dark)');

  constructor() {
    const kept = readKept(KEY);
    if (kept.theme === 'light' || kept.theme === 'dark') this.theme = kept.theme;
    if (kept.notify === false) this.notify = false;
    if (kept.pictures === false) this.pictures = false;
    if (kept.demoSeen === true) this.demoSeen = true;
    this.panes = readPanes(kept.panes);
    this.fitsWhenDriving = kept.fitsWhenDriving === true;
    this.showsAim = kept.showsAim !== false;
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

  choosePanes(panes: PaneChoice): void {
    this.panes = panes;
    this.#save();
  }

  chooseFitsWhenDriving(fits: boolean): void {
    this.fitsWhenDriving = fits;
    this.#save();
  }

  chooseShowsAim(shows: boolean): void {
    this.showsAim = shows;
    this.#save();
  }

  #show(): void {
    const dark = this.theme === 'dark' || (this.theme === 'system' && this.#system.matches);
    this.shown = dark ? 'dark' : 'light';
    document.documentElement.dataset.theme = this.shown;
  }

  #save(): void {
    const { theme, notify, pictures, demoSeen, panes, fitsWhenDriving, showsAim } = this;
    localStorage.setItem(KEY, JSON.stringify({ theme, notify, pictures, demoSeen, panes, fitsWhenDriving, showsAim }));
  }
}
