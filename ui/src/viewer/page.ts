/** The page behind a viewer link: the live view in full size, a slim bar under it, and nothing else. */
import { CALM_AFTER_INPUT_MS, chip, LiveView } from '../live';
import type { Carrier, LiveState } from '../live';
import type { Admission } from './admission';
import { barOf, driverOf, jobOf, LAPSE_SHOWN_MS, veilOf } from './bar';
import type { Act, Bar, Veil } from './bar';
import { iconMark } from './icons';

/** What others see as the name of who drives through a link. */
const CONTROLLER = 'Someone with the link';
const CLOCK_MS = 1_000;

export class ViewerPage {
  readonly #admission: Admission;
  readonly #view: LiveView;
  readonly #parts: Parts;
  #state: LiveState;
  #handingBack = false;
  #clock: ReturnType<typeof setTimeout> | null = null;

  constructor(root: HTMLElement, admission: Admission, transport: Carrier | null) {
    this.#admission = admission;
    this.#parts = build(root);
    const wsUrl = `${location.origin.replace(/^http/, 'ws')}/v1/sandboxes/${encodeURIComponent(admission.sandboxId)}/stream`;
    this.#view = new LiveView({
      endpoint: () => Promise.resolve({ wsUrl, token: admission.token }),
      transport,
      mac: /Mac|iP(hone|ad)/.test(navigator.userAgent),
    });
    this.#state = this.#view.state;
    this.#listen();
    this.#view.attach(this.#parts.canvas);
    this.#view.onState((state) => {
      this.#state = state;
      if (state.control?.yours !== true) this.#handingBack = false;
      this.#show();
    });
  }

  /** Runs while a countdown is shown, or will be; never between a person's hand and its picture. */
  #countDown(): void {
    if (this.#clock !== null) clearTimeout(this.#clock);
    this.#clock = null;
    const lapsesAt = this.#state.control?.lapsesAt;
    if (this.#state.connection.kind !== 'live' || this.#state.control?.yours !== true || lapsesAt == null) return;
    const shownIn = lapsesAt - LAPSE_SHOWN_MS - Date.now();
    const calmIn = CALM_AFTER_INPUT_MS - this.#view.sinceInputMs;
    this.#clock = setTimeout(() => (this.#view.sinceInputMs < CALM_AFTER_INPUT_MS ? this.#countDown() : this.#show()), Math.max(shownIn, calmIn, CLOCK_MS));
  }

  #listen(): void {
    const { go, note, noteForm, keep } = this.#parts;
    go.addEventListener('click', () => this.#do(this.#bar().button?.act ?? null));
    keep.addEventListener('click', () => this.#askNote(false));
    noteForm.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#handBack();
    });
    note.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.#askNote(false);
    });
    window.addEventListener(
      'keydown',
      (event) => {
        if (event.key !== 'F9' || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
        event.preventDefault();
        if (this.#handingBack) this.#handBack();
        else this.#do(this.#bar().button?.act ?? null);
      },
      { capture: true },
    );
  }

  #do(act: Act | null): void {
    switch (act) {
      case 'take':
        this.#view.take(CONTROLLER);
        break;
      case 'askHandBack':
        this.#askNote(true);
        break;
      case 'retry':
        this.#view.retryNow();
        break;
      case null:
        break;
    }
  }

  #askNote(asking: boolean): void {
    this.#handingBack = asking;
    this.#show();
    if (asking) this.#parts.note.focus();
    else this.#view.focus();
  }

  #handBack(): void {
    const note = this.#parts.note.value.trim();
    this.#view.handBack(note === '' ? null : note);
    this.#parts.note.value = '';
    this.#handingBack = false;
    this.#show();
  }

  #bar(): Bar {
    return barOf(this.#state, this.#admission.mode, Date.now());
  }

  #show(): void {
    const { stage, icon, say, sub, go, goLabel, goKey, chipText, noteForm, veil } = this.#parts;
    const bar = this.#bar();
    setData(document.body, 'state', this.#state.connection.kind);
    setData(document.body, 'driver', driverOf(this.#state));
    setData(document.body, 'carrier', this.#state.carrier ?? '');
    setData(document.body, 'picture', this.#state.transport);
    const job = jobOf(this.#state);
    setText(this.#parts.job, job);
    setHidden(this.#parts.job, job === '');
    const title = job === '' ? 'Baton' : `${job} · Baton`;
    if (document.title !== title) document.title = title;
    setData(stage, 'tone', bar.tone);
    if (stage.classList.contains('dashed') !== bar.dashed) stage.classList.toggle('dashed', bar.dashed);
    icon.show(bar.icon);
    setText(say, bar.say);
    setText(sub, bar.sub);
    setHidden(go, bar.button === null || this.#handingBack);
    setText(goLabel, bar.button?.label ?? '');
    setText(goKey, bar.button?.key ?? '');
    setHidden(goKey, bar.button?.key === '');
    setText(chipText, chip(this.#state));
    if (chipText.title !== this.#state.transportWhy) chipText.title = this.#state.transportWhy;
    setHidden(noteForm, !this.#handingBack);
    showVeil(veil, veilOf(this.#state));
    this.#countDown();
  }
}

/** Says in place of the view why there is none. */
export function showRefusal(root: HTMLElement, why: 'refused' | 'unreachable', again: () => void): void {
  document.body.dataset['state'] = why;
  const card = make('section', 'card');
  const title = make('h1', '');
  const text = make('p', '');
  title.textContent = why === 'refused' ? 'This link no longer works' : 'The runtime does not answer';
  text.textContent =
    why === 'refused'
      ? 'It was used already, was revoked, or has expired. Ask for a new one: a link opens once.'
      : 'It may be starting, or on its way down. Your link is still good.';
  card.append(title, text);
  if (why === 'unreachable') {
    const button = make('button', 'go');
    button.textContent = 'Try again';
    button.addEventListener('click', again);
    card.append(button);
  }
  const main = make('main', 'alone');
  main.append(card);
  root.replaceChildren(main);
}

interface Parts {
  stage: HTMLElement;
  canvas: HTMLCanvasElement;
  icon: ReturnType<typeof iconMark>;
  job: HTMLElement;
  say: HTMLElement;
  sub: HTMLElement;
  go: HTMLButtonElement;
  goLabel: HTMLElement;
  goKey: HTMLElement;
  keep: HTMLButtonElement;
  note: HTMLInputElement;
  noteForm: HTMLFormElement;
  chipText: HTMLElement;
  veil: HTMLElement;
}

function build(root: HTMLElement): Parts {
  const stage = make('main', 'stage');
  const view = make('div', 'view');
  const canvas = make('canvas', '');
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', 'The sandbox’s screen');
  const veil = make('div', 'veil');
  view.append(canvas);

  const bar = make('footer', 'bar');
  const icon = iconMark();
  const words = make('p', 'words');
  // The sentence is spoken when it changes; the countdown beneath it is not.
  const say = make('b', '');
  say.setAttribute('role', 'status');
  const sub = make('span', '');
  const job = make('span', 'job');
  words.append(say, sub);
  const chipText = make('span', 'chip');

  const noteForm = make('form', 'note');
  const note = make('input', '');
  note.placeholder = 'A note for the agent (optional)';
  note.setAttribute('aria-label', 'A note for the agent, optional');
  note.maxLength = 2_000;
  const keep = make('button', 'ghost');
  keep.type = 'button';
  keep.textContent = 'Keep driving';
  const send = make('button', 'go');
  send.type = 'submit';
  send.append('Hand back', keyCap('↵'));
  noteForm.append(note, keep, send);

  const go = make('button', 'go');
  go.type = 'button';
  const goLabel = make('span', '');
  const goKey = keyCap('');
  go.append(goLabel, goKey);

  bar.append(icon.element, job, words, chipText, noteForm, go);
  stage.append(view, veil, bar);
  root.replaceChildren(stage);
  return { stage, canvas, icon, job, say, sub, go, goLabel, goKey, keep, note, noteForm, chipText, veil };
}

function showVeil(element: HTMLElement, veil: Veil): void {
  if (element.dataset['kind'] === veil.kind) return;
  element.dataset['kind'] = veil.kind;
  element.hidden = veil.kind === 'none';
  const card = make('section', 'card');
  const title = make('h1', '');
  const text = make('p', '');
  switch (veil.kind) {
    case 'none':
      element.replaceChildren();
      return;
    case 'connecting':
      title.textContent = 'Connecting';
      text.textContent = 'The picture comes in a moment.';
      break;
    case 'lost':
      title.textContent = 'The picture stopped';
      text.textContent = 'The task goes on. The view comes back by itself.';
      break;
    case 'ended':
      title.textContent = 'This sandbox has ended';
      text.textContent = 'Its results and history are kept where it was started.';
      break;
  }
  card.append(title, text);
  element.replaceChildren(card);
}

function keyCap(text: string): HTMLElement {
  const cap = make('kbd', '');
  cap.textContent = text;
  return cap;
}

function setData(element: HTMLElement, name: string, value: string): void {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

function setHidden(element: HTMLElement, hidden: boolean): void {
  if (element.hidden !== hidden) element.hidden = hidden;
}

/** Only what changed is written, here and above: each write costs a frame, and a screen reader repeats what is set again. */
function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

function make<K extends keyof HTMLElementTagNameMap>(name: K, className: string): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  if (className !== '') element.className = className;
  return element;
}
