/** The secrets of the vault that playbooks give to commands: what is said of one, and what its form sends. */
import type { Credential, CredentialPatch, CredentialRule, NewCredential } from '../types';

export const SECRET_RULES: Record<CredentialRule, string> = {
  fill: 'Give it',
  ask: 'Ask me each time',
  never: 'Never give it',
};

export interface SecretDraft {
  name: string;
  value: string;
  /** Hosts with commas or blanks between them; empty for any. */
  hosts: string;
  rule: CredentialRule;
}

/** Returns the form of a new secret, or of one that is there: its value stays where it is. */
export function secretDraftOf(entry: Credential | null): SecretDraft {
  return { name: entry?.name ?? '', value: '', hosts: entry?.hosts?.join(', ') ?? '', rule: entry?.rule ?? 'ask' };
}

/** Whether there is enough to save. */
export function isWholeSecret(draft: SecretDraft, entry: Credential | null): boolean {
  return draft.name.trim() !== '' && (draft.value !== '' || entry !== null);
}

/** Returns the body of `POST /v1/credentials`. */
export function newSecret(draft: SecretDraft): NewCredential {
  return { kind: 'secret', ...filled(draft) };
}

/** Returns the body of `PATCH /v1/credentials/{id}`: a value that was not typed again stays. */
export function secretPatchOf(draft: SecretDraft): CredentialPatch {
  return filled(draft);
}

function filled({ name, value, hosts, rule }: SecretDraft) {
  return { name: name.trim(), hosts: hosts.split(/[\s,]+/).filter((host) => host !== ''), rule, ...(value === '' ? {} : { value }) };
}

/** Returns where a secret may go: `for api.example alone`, or nothing for one that may go anywhere. */
export function goesTo(entry: Credential): string {
  return entry.hosts === undefined || entry.hosts.length === 0 ? '' : `for ${entry.hosts.join(', ')} alone`;
}

/** Returns the secrets by name. */
export function secrets(entries: readonly Credential[]): Credential[] {
  return entries.filter((entry) => entry.kind === 'secret').toSorted((one, other) => one.name.localeCompare(other.name));
}
