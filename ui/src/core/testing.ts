/** Objects of the contract for tests: whole and plausible, with what matters to a test put over them. */
import { readEvent, type Event, type EventType, type Payload } from './event';
import type { Actor, Approval, Credential, Grant, Handoff, Proposal, Receipt, Sandbox, Task } from '../types';

/** 20 October 2026, 08:00 UTC. */
export const AT = Date.UTC(2026, 9, 20, 8);

export function sandboxOf(over: Partial<Sandbox> = {}): Sandbox {
  return {
    id: 'sbx_1',
    name: 'Invoices',
    status: 'active',
    backend: 'local',
    capabilities: {
      agent: { enabled: true, defaultAgent: null },
      browser: true,
      documents: { libreofficeHeadless: false },
      storage: { artifactPrefix: null },
    },
    network: { mode: 'open', allow: [], deny: [], allowPrivate: [] },
    limits: { memoryMb: null, pids: null, cpus: null, diskMb: null, idleMs: null, inForce: { memoryMb: null, pids: null, cpus: null, diskMb: null, idleMs: null } },
    preview: {
      status: 'ready',
      controlMode: 'ai',
      controller: null,
      url: 'https://portal.example/',
      title: 'Portal',
      tabs: [],
      viewport: { width: 1280, height: 720 },
      viewers: 1,
      blind: false,
      updatedAt: AT,
    },
    agent: { status: 'running', taskId: 'task_1' },
    handoff: null,
    approvals: [],
    failure: null,
    createdAt: AT,
    readyAt: AT,
    endedAt: null,
    updatedAt: AT,
    ...over,
  };
}

export function credentialOf(over: Partial<Credential> = {}): Credential {
  return {
    id: 'cred_1',
    kind: 'login',
    site: 'portal.example',
    name: 'portal.example',
    username: 'ada@portal.example',
    hasPassword: true,
    hasTotp: false,
    passkeys: 0,
    hosts: [],
    rule: 'ask',
    source: 'local',
    lastUsedAt: null,
    lastUsedBy: null,
    createdAt: AT,
    updatedAt: AT,
    ...over,
  };
}

export function taskOf(over: Partial<Task> = {}): Task {
  return {
    id: 'task_1',
    sandboxId: 'sbx_1',
    title: 'Invoices, October',
    prompt: null,
    playbook: 'steps: []',
    status: 'running',
    result: null,
    error: null,
    metadata: {},
    usage: { steps: 0, inputTokens: 0, outputTokens: 0, costUsd: null },
    createdAt: AT,
    startedAt: AT,
    endedAt: null,
    ...over,
  };
}

export function handoffOf(over: Partial<Handoff> = {}): Handoff {
  return {
    requestId: 'ho_1',
    sandboxId: 'sbx_1',
    taskId: 'task_1',
    status: 'pending',
    reason: 'mfa',
    message: 'Sign in to portal.example',
    requestedBy: 'agent',
    controller: null,
    resumePrompt: null,
    note: null,
    until: null,
    receipt: null,
    requestedAt: AT,
    acceptedAt: null,
    completedAt: null,
    expiresAt: null,
    updatedAt: AT,
    ...over,
  };
}

export function approvalOf(over: Partial<Proposal> = {}): Approval {
  return {
    approvalId: 'apr_1',
    sandboxId: 'sbx_1',
    taskId: 'task_1',
    status: 'pending',
    proposal: {
      kind: 'pay',
      summary: 'click button "Pay now"',
      site: 'shop.example',
      method: 'POST',
      destination: 'https://shop.example/pay',
      fields: [{ name: 'to', value: 'Ada', masked: false }],
      amount: { hundredths: 4_000, currency: 'EUR' },
      ...over,
    },
    hash: 'ab'.repeat(32),
    held: false,
    note: null,
    reason: null,
    decidedBy: null,
    grantId: null,
    requestedAt: AT,
    decidedAt: null,
    updatedAt: AT,
  };
}

export function grantOf(over: Partial<Grant> = {}): Grant {
  return {
    grantId: 'grt_1',
    approvalId: 'apr_1',
    sandboxId: 'sbx_1',
    taskId: 'task_1',
    site: 'shop.example',
    kind: 'pay',
    maxUses: null,
    uses: 0,
    maxAmount: null,
    spent: 0,
    createdAt: AT,
    expiresAt: null,
    usedAt: null,
    revokedAt: null,
    ...over,
  };
}

export function receiptWith(over: Partial<Receipt> = {}): Receipt {
  const page = { url: 'https://portal.example/', title: 'Portal' };
  return {
    heldMs: 42_000,
    before: page,
    after: page,
    tabsOpened: [],
    tabsClosed: [],
    signedInChanged: [],
    fieldsTouched: [],
    fieldsVeiled: [],
    filesArrived: [],
    inputs: 3,
    note: null,
    untilMet: null,
    ...over,
  };
}

/** An event in short: what a test does not name is left out, as an older version may have done. */
export type InShort = { [T in EventType]: [type: T, data?: Partial<Payload<T>>, by?: Actor] }[EventType];

/** Returns events of one sandbox, numbered from 1, one second apart. */
export function eventsOf(...told: InShort[]): Event[] {
  return oddEventsOf(...told);
}

/** As {@link eventsOf}, of any type and with any payload. */
export function oddEventsOf(...told: [type: string, data?: unknown, by?: Actor][]): Event[] {
  return told.map(([type, data = {}, by = 'agent'], i) => {
    const event = readEvent({ id: `evt_${i + 1}`, sandboxId: 'sbx_1', taskId: 'task_1', seq: i + 1, type, by, at: AT + i * 1_000, data });
    if (event === null) throw new Error('an event needs a type');
    return event;
  });
}
