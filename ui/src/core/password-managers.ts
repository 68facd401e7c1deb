/** Password managers that sign-ins are filled in from: what is said of one, and what can be done. */
import type { CredentialSource, PasswordManager } from '../types';
import { count, waited } from './time';

/** Who keeps the values of an entry. */
export const KEEPERS: Record<CredentialSource, string> = { local: 'vault', '1password': '1Password', bitwarden: 'Bitwarden' };

/** Whether it is opened with a master password that we pass on. */
export function takesPassphrase(manager: PasswordManager): boolean {
  return manager.source === 'bitwarden';
}

/** Returns what is said beneath its name. */
export function standing(manager: PasswordManager, now: number): string {
  switch (manager.state) {
    case 'absent':
      return sentence(manager.detail ?? 'Its program is not on this machine');
    case 'off':
      return 'Not connected. Baton would list its sites and user names, and fetch a password only to fill it in.';
    case 'locked':
      return sentence(manager.detail ?? 'It is locked');
    case 'ready':
      return `${count(manager.entries, 'sign-in')}${manager.listedAt == null ? '' : `, listed ${waited(now - manager.listedAt)} ago`}`;
  }
}

function sentence(words: string): string {
  return /[.!?]$/.test(words) ? words : `${words}.`;
}
