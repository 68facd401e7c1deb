/** The sections of the settings: what they are called, and what people look for in them. A new section is a line here and its view. */
import { ranked } from './palette';

export type SectionId = 'general' | 'models' | 'signIns' | 'approvals' | 'programs' | 'machine' | 'setup' | 'about';

export interface Section {
  id: SectionId;
  title: string;
  /** Every thing that is set in it, in the words that are shown; the search looks here. */
  holds: readonly string[];
  /** Other words for the same. */
  words: string;
}

export const SECTIONS: readonly Section[] = [
  { id: 'general', title: 'General', holds: ['Theme', 'Live view', 'Notices', 'Closing the window'], words: 'dark light look fit pointer notifications sound tray quit' },
  { id: 'models', title: 'Models', holds: ['Models', 'Keys'], words: 'api key openai anthropic openrouter ollama llm default' },
  { id: 'signIns', title: 'Sign-ins', holds: ['For websites', 'Password managers', 'Secrets for commands'], words: 'sign-in vault login code totp two factor import csv 1password bitwarden master token key hosts' },
  { id: 'approvals', title: 'Approvals', holds: ['Ask me before', 'Permissions'], words: 'rules pay send delete publish allow deny grant' },
  { id: 'programs', title: 'Other programs', holds: ['MCP clients', 'Webhooks'], words: 'connect claude cursor http deliver secret playwright' },
  { id: 'machine', title: 'This computer', holds: ['What this machine can do', 'The demo'], words: 'doctor checks missing install bubblewrap chromium fonts' },
  { id: 'setup', title: 'Check my setup', holds: ['Keyboard, paste, windows, files and delay'], words: 'layout dead keys ime select popup download upload latency report' },
  { id: 'about', title: 'About', holds: ['Version', 'Data folder', 'Sharing'], words: 'home path storage listens links' },
];

/** Returns the sections that words stand in, the best first; all for no words. */
export function rankedSections(words: readonly string[]): Section[] {
  return ranked(SECTIONS, words, (each) => ({ text: [each.title, ...each.holds].join(', '), also: each.words }));
}
