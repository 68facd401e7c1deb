/** A new task, from a playbook or in words: the templates that are offered, and what the form sends. */
import { badLimit, limitsBody, type TypedLimits } from './limits';
import { paramsOf } from './playbook-text';
import type { BackendKind, NetworkMode, Sandbox, SandboxConfig, TaskRequest } from '../types';

/** Both run as they are, without a network: the practice portal is built in. A test runs them. */
export const TEMPLATE = `name: Look something up
steps:
  - navigate: http://portal.example/
  - expect: { role: heading, name: Supplier portal }
  - extract: { selector: "main p", to: words.json }
  - artifact: { path: words.json }
`;

export const HANDOFF_TEMPLATE = `name: Fetch this month's invoices
params: { month: "2026-10" }
steps:
  - navigate: http://portal.example/invoices
  - handoff: { reason: mfa, message: "Sign in, then hand back", until: { url: "**/invoices" } }
  - select: { label: Month, value: "{{month}}" }
  - click: { role: button, name: Show }
  - download: { click: { role: link, name: Download CSV }, to: invoices.csv }
  - artifact: { path: invoices.csv }
`;

/** What a person may start from: what each needs is said before it starts. */
export const TEMPLATES: readonly { label: string; needs: string; playbook: string }[] = [
  { label: 'looking something up', needs: 'Runs without a network, on the practice portal.', playbook: TEMPLATE },
  { label: 'a sign-in by you', needs: 'Runs without a network, on the practice portal. You sign in once: any name and six digits will do.', playbook: HANDOFF_TEMPLATE },
];

/** How a task is given. */
export type GivenBy = 'playbook' | 'prompt';

export interface Draft extends TypedLimits {
  /** `null` until it is chosen: words then come first where there is somebody to follow them. */
  by: GivenBy | null;
  name: string;
  playbook: string;
  /** Values for the playbook's parameters; one that is missing or empty has its default. */
  params: Record<string, string>;
  /** Why this failed when it ran last; `null` for what has not. */
  failure: string | null;
  prompt: string;
  /** Name of the model that follows the prompt; empty for the runtime's choice. */
  model: string;
  /** Limits of a prompt, as typed; empty for the runtime's own. */
  steps: string;
  minutes: string;
  tokens: string;
  /** Where the browser and commands may go. */
  network: NetworkMode;
  /** What it runs in. */
  backend: BackendKind;
  /** Host patterns, separated by spaces, commas or lines. */
  allow: string;
  /** Empty for a profile that ends with the sandbox. */
  profile: string;
  /** Minutes without work and without anybody who watches, after which the sandbox ends; 0 for never. */
  idleMinutes: number;
  /** Minutes without use after which its browser is stopped; 0 for never. */
  browserMinutes: number;
  /** Whether the page is recorded. */
  record: boolean;
}

/** What a person may choose for `idleMinutes`. */
export const IDLE_CHOICES: readonly { minutes: number; words: string }[] = [
  { minutes: 15, words: '15 minutes unused' },
  { minutes: 60, words: '1 hour unused' },
  { minutes: 480, words: '8 hours unused' },
  { minutes: 0, words: 'Never' },
];

/** What a person may choose for `browserMinutes`; the first is the default of the runtime. */
export const BROWSER_CHOICES: readonly { minutes: number; words: string }[] = [
  { minutes: 10, words: '10 minutes unused' },
  { minutes: 60, words: '1 hour unused' },
  { minutes: 0, words: 'Never' },
];

/** What is said of each way a job may go, beside the sites that it names. */
export const NETWORK_WORDS: Record<NetworkMode, string> = {
  open: 'Your own network stays closed to it.',
  ask: 'You are asked once for each site that the task does not name.',
  allowlist: 'Every other site is closed.',
  none: 'Only built-in sites and files.',
};

export const EMPTY_DRAFT: Draft = {
  by: null,
  name: '',
  playbook: TEMPLATE,
  params: {},
  failure: null,
  prompt: '',
  model: '',
  steps: '',
  minutes: '',
  tokens: '',
  network: 'open',
  backend: 'local',
  allow: '',
  profile: '',
  idleMinutes: 60,
  browserMinutes: 10,
  record: true,
  memory: '',
  disk: '',
  cpus: '',
  pids: '',
};

/** Whether nothing was typed into the draft. */
export function isUntouched(draft: Draft): boolean {
  return (Object.keys(EMPTY_DRAFT) as (keyof Draft)[]).every((key) => key === 'by' || JSON.stringify(draft[key]) === JSON.stringify(EMPTY_DRAFT[key]));
}

/** Returns the name that a playbook gives itself, if it does so plainly. */
export function playbookName(source: string): string | null {
  const value = /^name:[ \t]*(.+?)[ \t]*$/m.exec(source)?.[1];
  return value === undefined ? null : value.replace(/^(["'])(.*)\1$/, '$2');
}

/** Returns the body of `POST /v1/sandboxes`. Only what differs from the defaults is said, and when it ends by itself: it is made for one job. */
export function sandboxBody(draft: Draft, by: GivenBy): SandboxConfig {
  const allow = draft.allow.split(/[\s,]+/).filter((pattern) => pattern !== '');
  const name = draft.name.trim() || (by === 'playbook' ? (playbookName(draft.playbook) ?? '') : draft.prompt.trim().slice(0, 60));
  const profile = draft.profile.trim();
  const browser = { ...(profile === '' ? {} : { profile }), ...(draft.record ? { recording: true } : {}), ...(draft.browserMinutes === EMPTY_DRAFT.browserMinutes ? {} : { idleMs: draft.browserMinutes * 60_000 }) };
  const limits = { ...(draft.idleMinutes === 0 ? {} : { idleMs: draft.idleMinutes * 60_000 }), ...limitsBody(draft) };
  return {
    ...(name === '' ? {} : { name }),
    ...(Object.keys(browser).length === 0 ? {} : { capabilities: { browser } }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...(draft.backend === 'local' ? {} : { backend: draft.backend }),
    ...(draft.network === 'open' ? {} : { network: { mode: draft.network, ...(draft.network === 'allowlist' ? { allow } : {}) } }),
  };
}

/** Returns the body of `POST /v1/sandboxes/{id}/tasks`. */
export function taskBody(draft: Draft, by: GivenBy): TaskRequest {
  if (by === 'playbook') return playbookBody(draft);
  const limits = {
    ...(draft.steps.trim() === '' ? {} : { steps: Number(draft.steps) }),
    ...(draft.minutes.trim() === '' ? {} : { timeMs: Math.round(Number(draft.minutes) * 60_000) }),
    ...(draft.tokens.trim() === '' ? {} : { tokens: Number(draft.tokens) }),
  };
  return {
    prompt: draft.prompt,
    ...(draft.model === '' ? {} : { model: draft.model }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
  };
}

/** Returns a playbook with the values that were given for its parameters. */
export function playbookBody({ playbook, params }: Pick<Draft, 'playbook' | 'params'>): { playbook: string; params?: Record<string, string> } {
  const declared = new Set(paramsOf(playbook).map((param) => param.name));
  const given = Object.entries(params).filter(([name, value]) => value !== '' && declared.has(name));
  return given.length === 0 ? { playbook } : { playbook, params: Object.fromEntries(given) };
}

function isCount(typed: string): boolean {
  return typed.trim() === '' || (/^\d+$/.test(typed.trim()) && Number(typed) > 0 && Number(typed) < 1e9);
}

/** Returns what is missing before the draft can be sent, or `null`. */
export function missing(draft: Draft, by: GivenBy): string | null {
  if (by === 'playbook' && draft.playbook.trim() === '') return 'Write the steps, or take a template.';
  const open = by === 'playbook' ? paramsOf(draft.playbook).find((param) => param.value === null && !draft.params[param.name]) : undefined;
  if (open !== undefined) return `Give the parameter ${open.name} a value.`;
  if (by === 'prompt' && draft.prompt.trim() === '') return 'Say in a sentence what is to be done.';
  if (by === 'prompt' && ![draft.steps, draft.minutes, draft.tokens].every(isCount)) return 'A limit is a whole number above zero, or empty.';
  if (draft.network === 'allowlist' && draft.allow.replace(/[\s,]/g, '') === '') return 'Name at least one site, or choose another way.';
  if (!/^[\w.-]*$/.test(draft.profile.trim())) return 'A profile name is letters, digits, dots and dashes.';
  return badLimit(draft);
}

/** Returns a draft of what a task was to do, to be edited and run again. */
export function draftOf(task: { playbook?: string | null; prompt?: string | null; error?: { message: string } | null }, sandbox: Pick<Sandbox, 'name' | 'network' | 'backend' | 'capabilities'>): Draft {
  const browser = sandbox.capabilities.browser;
  const { mode = 'open', allow = [] } = sandbox.network;
  return {
    ...EMPTY_DRAFT,
    by: task.playbook != null ? 'playbook' : 'prompt',
    name: sandbox.name,
    playbook: task.playbook ?? EMPTY_DRAFT.playbook,
    prompt: task.prompt ?? '',
    failure: task.error?.message ?? null,
    network: mode,
    backend: sandbox.backend,
    allow: allow.join(' '),
    record: typeof browser === 'object' && browser !== null && browser.recording === true,
    profile: (typeof browser === 'object' && browser !== null ? browser.profile : null) ?? '',
  };
}
