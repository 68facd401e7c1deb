/** The vault as a person sees it: what an entry is called, what may be done with it, and what the form sends. */
import type { Credential, CredentialPatch, CredentialRule, ImportedCredentials, NewCredential, SignInOffer } from '../types';
import { count, waited } from './time';

export const RULES: Record<CredentialRule, string> = {
  fill: 'Fill it in',
  ask: 'Ask me each time',
  never: 'Never fill it in',
};

/** The vault as its lists show it, and what they may do to it. Each change answers whether it was kept. */
export interface Vault {
  entries: readonly Credential[];
  now: number;
  /** Answers a task's title, or `null` for one that is not known. */
  taskOf: (id: string) => string | null;
  oncreate: (entry: NewCredential) => Promise<boolean>;
  onchange: (id: string, patch: CredentialPatch) => Promise<boolean>;
  ondelete: (id: string) => Promise<boolean>;
}

export interface SignInDraft {
  site: string;
  username: string;
  password: string;
  totp: string;
  rule: CredentialRule;
  /** Its passkeys are to be forgotten. */
  forgetsPasskeys: boolean;
}

/** Returns the form of a new entry, which may begin with a site, or of one that is there: its values stay where they are. */
export function draftOf(entry: Credential | null, site = ''): SignInDraft {
  return { site: entry?.site ?? site, username: entry?.username ?? '', password: '', totp: '', rule: entry?.rule ?? 'ask', forgetsPasskeys: false };
}

/** Whether there is enough to save. */
export function isWhole(draft: SignInDraft, entry: Credential | null): boolean {
  return draft.site.trim() !== '' && (draft.username.trim() !== '' || draft.password !== '' || entry?.hasPassword === true || (entry?.passkeys ?? 0) > 0);
}

/** Returns the body of `POST /v1/credentials`. */
export function newCredential(draft: SignInDraft): NewCredential {
  return { kind: 'login', ...filled(draft) } as NewCredential;
}

/** Returns the body of `PATCH /v1/credentials/{id}`: values that were not typed again stay. */
export function patchOf(draft: SignInDraft): CredentialPatch {
  return { ...filled(draft), ...(draft.forgetsPasskeys ? { passkeys: 0 } : {}) } as CredentialPatch;
}

/** Returns the changes that make an entry like a new one that was filled in again. */
export function patchLike(entry: NewCredential): CredentialPatch {
  const patch: Partial<NewCredential> = { ...entry };
  delete patch.kind;
  return patch as CredentialPatch;
}

function filled(draft: SignInDraft) {
  const { password, rule } = draft;
  const [site, username, totp] = [draft.site.trim(), draft.username.trim(), draft.totp.trim()];
  return { site, username, rule, ...(password === '' ? {} : { password }), ...(totp === '' ? {} : { totp }) };
}

/** Returns what there is of an entry, in a few words: `password, one-time codes`. */
export function holds(entry: Credential): string {
  if (holdsNothing(entry)) return 'nothing is kept for this site';
  const parts = [entry.hasPassword && 'password', entry.hasTotp && 'one-time codes', entry.passkeys > 0 && count(entry.passkeys, 'passkey')].filter((part) => part !== false);
  return parts.join(', ');
}

/** Whether an entry says only that nobody is asked to keep a sign-in for its site. */
export function holdsNothing(entry: Credential): boolean {
  return entry.rule === 'never' && entry.username == null && !entry.hasPassword && !entry.hasTotp && entry.passkeys === 0;
}

/** Returns when an entry was used last, and by what: `used 3 min ago by October invoices`. */
export function lastUse(entry: Credential, now: number, taskOf: (id: string) => string | null): string {
  if (entry.lastUsedAt == null) return 'not used yet';
  const task = entry.lastUsedBy == null ? null : taskOf(entry.lastUsedBy);
  return `used ${waited(now - entry.lastUsedAt)} ago${task === null ? '' : ` by ${task}`}`;
}

/** Returns the words of a question about a sign-in that a person typed. */
export function keepWords(offer: SignInOffer): { title: string; what: string; yes: string } {
  if (offer.updates != null) {
    return { title: `Change the saved password for ${offer.site}?`, what: 'The vault has another one. Nothing is changed until you say so.', yes: 'Change it' };
  }
  return { title: `Keep this sign-in for ${offer.site}?`, what: 'Baton fills it in there and nowhere else; the agent never sees it. Nothing is saved until you say so.', yes: 'Keep' };
}

/** Returns what came of an import: `12 saved. Line 3: it has no address.` */
export function importWords(came: ImportedCredentials): string {
  const lines = came.skipped.slice(0, 3).map(({ line, why }) => `Line ${line}: ${why}.`);
  const more = came.nSkipped - lines.length;
  return [`${came.imported} saved.`, ...lines, ...(more > 0 ? [`${more} more were not saved.`] : [])].join(' ');
}

/** Returns logins by site, then by user name. */
export function logins(entries: readonly Credential[]): Credential[] {
  const key = (entry: Credential) => `${bare(entry.site ?? '')} ${entry.username ?? ''}`;
  return entries.filter((entry) => entry.kind === 'login').toSorted((one, other) => key(one).localeCompare(key(other)));
}

function bare(site: string): string {
  return site.replace(/^https?:\/\//, '').replace(/^\*\./, '');
}
