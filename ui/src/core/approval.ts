/** Questions to a person before something is done: in plain words, and how far a yes may reach. */
import type { ActKind, Amount, Approval, Grant, RuleEffect } from '../types';

/** Returns the question in one sentence: `Pay € 40.00 at shop.example?` */
export function askSentence(approval: Approval): string {
  const { kind, amount, destination } = approval.proposal;
  const where = siteOf(destination) || approval.proposal.site || 'this page';
  switch (kind) {
    case 'pay':
      return `Pay ${amount == null ? '' : `${money(amount)} `}at ${where}?`;
    case 'send':
      return `Send this to ${where}?`;
    case 'delete':
      return `Delete this at ${where}?`;
    case 'publish':
      return `Publish this at ${where}?`;
    case 'submit':
      return `Send this form to ${where}?`;
    case 'signIn':
      return `Sign in at ${where}?`;
    case 'useSecret':
      return 'Give this secret to a command?';
    case 'newDestination':
      if (isPlace(approval)) return `Let this job ${approval.proposal.summary}?`;
      return `Go to ${where}? The task does not name it.`;
  }
}

/** Whether the question is about a connection, which stands still before anything is said: only its site is known. */
function isPlace({ held, proposal }: Approval): boolean {
  return held && proposal.kind === 'newDestination' && proposal.method == null;
}

/** Returns what stands still meanwhile, and what a no means. */
export function askSub(approval: Approval, more: number): string {
  const others = more === 0 ? '' : ` ${more} more after this.`;
  if (isPlace(approval)) {
    return `It wants ${siteOf(approval.proposal.destination)} now. A connection gives up after some minutes; your answer counts for the next one too.${others}`;
  }
  return approval.held
    ? `The request is held: if you deny it, it never leaves. Nothing expires.${others}`
    : `${approval.taskId == null ? 'The program' : 'The agent'} waits and does nothing until you answer. Nothing expires.${others}`;
}

/** Returns what the agent would do, as it names it: `Click button "Pay now"`. */
export function doing(approval: Approval): string {
  const { summary } = approval.proposal;
  return summary.charAt(0).toUpperCase() + summary.slice(1);
}

/** Returns the host of an address, with its port where it has one. */
export function siteOf(address: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#]+)/i.exec(address)?.[1] ?? '';
}

export function money(amount: Amount): string {
  const whole = (amount.hundredths / 100).toFixed(2);
  return amount.currency === '' ? whole : `${SIGNS[amount.currency] ?? amount.currency} ${whole}`;
}

const SIGNS: Record<string, string> = { EUR: '€', USD: '$', GBP: '£' };

export const KINDS: Record<ActKind, string> = {
  pay: 'Paying',
  send: 'Sending messages',
  delete: 'Deleting',
  publish: 'Publishing',
  submit: 'Any form or change',
  signIn: 'Filling in sign-ins',
  useSecret: 'Giving secrets to commands',
  newDestination: 'Sites the task does not name',
};

export const EFFECTS: Record<RuleEffect, string> = {
  ask: 'Ask me first',
  hold: 'Hold the request',
  allow: 'Allow',
};

/** Returns how a permission stands: `used 2 times, € 80.00 of € 100.00`. */
export function grantState(grant: Grant, now: number): string {
  const parts = [grant.uses === 0 ? 'not used yet' : grant.uses === 1 ? 'used once' : `used ${grant.uses} times`];
  if (grant.maxUses != null) parts.push(`${Math.max(0, grant.maxUses - grant.uses)} left`);
  if (grant.maxAmount != null) parts.push(`${money({ ...grant.maxAmount, hundredths: grant.spent })} of ${money(grant.maxAmount)}`);
  if (grant.revokedAt != null) parts.push('ended');
  else if (grant.expiresAt != null && grant.expiresAt <= now) parts.push('expired');
  return parts.join(', ');
}

/** Whether a permission may still cover something, as far as its record says. */
export function isOpen(grant: Grant, now: number): boolean {
  return grant.revokedAt == null && (grant.expiresAt == null || grant.expiresAt > now) && (grant.maxUses == null || grant.uses < grant.maxUses);
}
