/**
 * The states of the interface as a runtime would tell them: only for pictures and checks of the page, never shipped.
 * The shapes are those of the generated types; times are relative to `NOW`, so that pictures do not change by themselves.
 */
export const NOW = Date.UTC(2026, 9, 20, 8, 43, 30);
const MIN = 60_000;

let n = 0;
const id = (prefix) => `${prefix}_${String((n += 1)).padStart(4, '0')}`;

function sandbox(name, status, over = {}) {
  return {
    id: id('sbx'), name, status, backend: 'local',
    capabilities: { agent: { enabled: true }, browser: true, storage: {} },
    network: { mode: 'open', allow: [], deny: [], allowPrivate: [] },
    limits: {},
    preview: preview('ai', 'https://portal.example/sign-in', 'Sign in'),
    agent: { status: 'running' }, handoff: null, approvals: [],
    createdAt: NOW - 5 * MIN, readyAt: NOW - 5 * MIN + 900, updatedAt: NOW - MIN,
    ...over,
  };
}

function preview(controlMode, url, title) {
  const blind = controlMode === 'human';
  return {
    status: 'ready', controlMode, url: blind ? '' : url, title: blind ? '' : title, tabs: [],
    viewport: { width: 1280, height: 720 }, viewers: 1, blind, updatedAt: NOW,
  };
}

function task(sbx, title, status, over = {}) {
  return {
    id: id('task'), sandboxId: sbx.id, title, playbook: `name: ${title}\nsteps: []\n`, status, metadata: {},
    usage: { steps: 14, inputTokens: 0, outputTokens: 0 }, createdAt: sbx.createdAt, startedAt: sbx.createdAt + 1000, ...over,
  };
}

function handoff(sbx, tsk, message, at, over = {}) {
  return {
    requestId: id('ho'), sandboxId: sbx.id, taskId: tsk.id, status: 'pending', reason: 'mfa', message, requestedBy: 'agent',
    until: { url: '**/invoices' }, requestedAt: at, updatedAt: at, ...over,
  };
}

const MODELS = [
  { name: 'anthropic', kind: 'anthropic', model: 'claude-sonnet-4-5', hasKey: true, default: true, source: 'environment' },
  { name: 'desk', kind: 'openai', baseUrl: 'http://localhost:11434/v1', model: 'qwen3-vl:8b', hasKey: false, default: false, source: 'settings' },
];

const RECEIPT = {
  heldMs: 42_000,
  before: { url: 'https://portal.example/sign-in', title: 'Sign in' },
  after: { url: 'https://portal.example/invoices', title: 'Invoices' },
  tabsOpened: [], tabsClosed: ['popup'], signedInChanged: ['portal.example'], fieldsTouched: ['E-mail', 'Password'],
  filesArrived: [], inputs: 37, note: 'The code went to my phone',
};

/** As `core/setup.ts` has it: the page knows its own check by its text. */
const SETUP = `name: Check my setup
steps:
  - navigate: http://portal.example/check
  - handoff: { reason: custom, message: "Follow the page: it ticks what works", until: { url: "**/check/done" } }
  - extract: { selector: "#report", to: setup.json }
  - artifact: { path: setup.json }
`;

/** Builds a list of events of one sandbox, numbered without gaps. */
function events(sbx, tsk, told) {
  return told.map(([minutes, type, by, data], i) => ({
    id: `evt_${sbx.id}_${String(i + 1).padStart(4, '0')}`, sandboxId: sbx.id, taskId: tsk?.id, seq: i + 1, type, by,
    at: NOW - minutes * MIN, data,
  }));
}

const STARTED = [
  [5, 'sandbox.created', 'api', {}],
  [5, 'sandbox.assigned', 'system', {}],
  [4.99, 'sandbox.browser.ready', 'system', {}],
  [4.99, 'sandbox.agent.ready', 'system', {}],
  [4.99, 'sandbox.ready', 'system', {}],
  [4.98, 'sandbox.agent.task.queued', 'api', {}],
];
const WORK = [
  ...STARTED,
  [2.5, 'sandbox.agent.task.started', 'agent', { title: 'Invoices, October' }],
  [2.4, 'sandbox.agent.action', 'agent', { action: { navigate: 'https://portal.example' } }],
  [2.3, 'sandbox.agent.action', 'agent', { action: { type: { label: 'Search', text: 'October 2026' } } }],
  [2.2, 'sandbox.agent.action', 'agent', { action: { press: 'Enter' } }],
  [2.1, 'sandbox.agent.action', 'agent', { action: { scroll: {} } }],
  [2.0, 'sandbox.agent.action', 'agent', { action: { waitFor: { text: 'Sign in' } } }],
  [1.9, 'sandbox.agent.action', 'agent', { action: { screenshot: {} } }],
  [1.5, 'sandbox.agent.action', 'agent', { action: { click: { role: 'link', name: 'Invoices' } }, picture: 'a'.repeat(64) }],
];
const ASKED = [...WORK, [0.7, 'sandbox.handoff.requested', 'agent', { message: 'Sign in to portal.example, then hand back' }]];
const DRIVEN = [...ASKED, [0.6, 'sandbox.handoff.accepted', 'person', { controller: 'A person at this computer' }]];
const BACK = [...DRIVEN, [0.1, 'sandbox.handoff.completed', 'person', { receipt: RECEIPT, note: RECEIPT.note }]];
const DONE = [
  ...BACK,
  [0.08, 'sandbox.agent.action', 'agent', { action: { download: { click: { role: 'button', name: 'Download' }, to: 'invoices.csv' } } }],
  [0.06, 'sandbox.agent.action', 'agent', { action: { code: { language: 'python', code: '…' } } }],
  [0.04, 'sandbox.agent.action', 'agent', { action: { artifact: { path: 'report.md' } } }],
  [0.02, 'sandbox.agent.task.completed', 'agent', { title: 'Invoices, October', result: 'Total for October: € 4,318.20' }],
];

const FILES = [
  { path: 'downloads', kind: 'directory', size: 0, modifiedAt: NOW },
  { path: 'downloads/invoices.csv', kind: 'file', size: 4180, modifiedAt: NOW },
  { path: 'downloads/october.pdf', kind: 'file', size: 182_400, modifiedAt: NOW },
  { path: 'notes', kind: 'directory', size: 0, modifiedAt: NOW },
  { path: 'notes/suppliers.txt', kind: 'file', size: 712, modifiedAt: NOW },
  { path: 'report.md', kind: 'file', size: 1240, modifiedAt: NOW },
  { path: 'invoices.json', kind: 'file', size: 9120, modifiedAt: NOW },
  { path: 'chart.png', kind: 'file', size: 28_211, modifiedAt: NOW },
];
export const CONTENT = {
  'setup.json': JSON.stringify([[{ What: 'Letters and signs', Result: 'works' }, { What: 'Input method', Result: 'skipped' }, { What: 'Upload', Result: 'did not arrive' }]]),
  'report.md': '# October 2026\n\n31 invoices, **€ 4,318.20** in total. Two have no order number:\n\n| Invoice | Supplier | Amount |\n| --- | --- | ---: |\n| 2026-1044 | Nordlicht | 120.00 |\n| 2026-1051 | Hafenkante | 88.40 |\n\n- [x] downloaded\n- [ ] order numbers\n\n<script>alert(1)</script>\n',
  'downloads/invoices.csv': 'Invoice,Supplier,Date,Amount\n2026-1044,Nordlicht,2026-10-02,120.00\n2026-1045,"Weber, Sohn",2026-10-03,1210.50\n2026-1046,Hafenkante,2026-10-05,88.40\n2026-1047,Alder & Co,2026-10-06,640.00\n',
};

const artifact = (sbx, tsk, name, contentType, size) => ({
  key: id('art'), sandboxId: sbx.id, taskId: tsk.id, name, kind: 'file', contentType, size, sha256: 'ab'.repeat(32), createdAt: NOW - 30_000,
});

// As the program's own checks are named.
const CHECKS = [
  { name: 'bubblewrap', ok: true, required: true, found: 'bubblewrap 0.8.0' },
  { name: 'userNamespaces', ok: true, required: true, found: 'the kernel allows user namespaces' },
  { name: 'room', ok: true, required: true, found: 'a room was started and ran a command' },
  { name: 'xvfb', ok: true, required: true, found: '/usr/bin/Xvfb' },
  { name: 'chromium', ok: true, required: true, found: 'Chromium 156.0.7000.0' },
  { name: 'fontsEmoji', ok: false, required: false, found: 'no font for emoji', fix: 'apt-get install fonts-noto-color-emoji' },
];

/** Returns the world of a named state: what the routes answer, and how the live view stands. */
export function world(state) {
  n = 0;
  if (state === 'nothing' || state === 'missing') {
    const checks =
      state === 'nothing'
        ? CHECKS
        : CHECKS.map((check) =>
            check.name === 'bubblewrap'
              ? { ...check, ok: false, found: 'bwrap is not installed', fix: 'sudo apt install bubblewrap' }
              : check,
          );
    return { sandboxes: [], tasks: [], events: [], files: [], artifacts: [], checks, models: [], control: null, main: null };
  }

  const rest = others();
  const main = sandbox('Invoices', 'active', { preview: preview('ai', 'https://portal.example/sign-in', 'Sign in') });
  let tsk = task(main, 'Invoices, October', 'running', { startedAt: NOW - 2.5 * MIN });
  main.agent = { status: 'running', taskId: tsk.id };
  const asked = handoff(main, tsk, 'Sign in to portal.example. It will go on when the invoice list is open.', NOW - 42_000);
  const control = { mode: 'ai', yours: false, lease: null, controller: null, settling: false, since: NOW - MIN, lapsesAt: null, job: main.name, asks: null, wantedBy: null, wantedByYou: false };
  let told = WORK;
  let files = FILES.slice(2, 6);
  let artifacts = [];
  let picture = 'signIn';
  switch (state) {
    case 'agent':
      break;
    case 'prompted': {
      const title = 'Find the October invoices and tell me the total';
      Object.assign(tsk, { title, playbook: null, prompt: title, usage: { steps: 5, inputTokens: 33_840, outputTokens: 612, costUsd: 0.1184 } });
      const turn = (step, text) => ({ step, text, model: 'main', usage: { inputTokens: 6_800, outputTokens: 120 } });
      told = [
        ...STARTED,
        [2.5, 'sandbox.agent.task.started', 'agent', { title }],
        [2.4, 'sandbox.agent.step', 'agent', turn(1, 'The portal has the invoices; I open it first.')],
        [2.3, 'sandbox.agent.action', 'agent', { action: { navigate: 'https://portal.example' } }],
        [2.0, 'sandbox.agent.step', 'agent', turn(2, 'There is a link to the invoices, which needs a sign-in.')],
        [1.9, 'sandbox.agent.action', 'agent', { action: { click: { role: 'link', name: 'Invoices' } } }],
        [1.2, 'sandbox.agent.message', 'person', { text: 'Leave out the ones from Hafenkante, please.' }],
        [0.9, 'sandbox.agent.message', 'agent', { text: 'I leave out Hafenkante. The rest is 30 invoices.' }],
      ];
      break;
    }
    case 'approval':
      tsk.status = 'waiting';
      main.approvals = [{
        approvalId: 'apr_1', sandboxId: main.id, taskId: tsk.id, status: 'pending', hash: 'ab'.repeat(32), held: true,
        proposal: {
          kind: 'pay', summary: 'send a request to portal.example', site: 'portal.example', method: 'POST',
          destination: 'https://portal.example/invoices/pay',
          fields: [
            { name: 'invoice', value: '2026-1044', masked: false }, { name: 'to', value: 'Nordlicht', masked: false },
            { name: 'amount', value: '120.00', masked: false }, { name: 'pin', value: '••••••', masked: true },
          ],
          amount: { hundredths: 12_000, currency: 'EUR' },
        },
        requestedAt: NOW - 42_000, updatedAt: NOW - 42_000,
      }];
      main.preview = preview('ai', 'https://portal.example/invoices', 'Invoices');
      picture = 'invoices';
      told = [...WORK, [0.7, 'sandbox.approval.requested', 'agent', { summary: 'send a request to portal.example', destination: 'https://portal.example/invoices/pay' }]];
      break;
    case 'starting':
      Object.assign(main, { status: 'assigning', readyAt: undefined, agent: { status: 'idle' }, preview: { ...main.preview, status: 'starting' } });
      tsk = null;
      told = STARTED.slice(0, 2);
      files = [];
      break;
    case 'needs':
    case 'unsaved':
    case 'handing':
    case 'you':
    case 'note':
    case 'secret':
    case 'keep':
    case 'receipt':
      main.handoff = state === 'unsaved' ? { ...asked, missingSignIn: 'portal.example' } : asked;
      main.preview = preview('waiting', 'https://portal.example/sign-in', 'Sign in');
      Object.assign(control, { mode: 'waiting' });
      told = ASKED;
      break;
    case 'setup':
    case 'demoEnded':
    case 'ended':
    case 'stopped':
    case 'failed': {
      const failed = state === 'failed';
      if (state === 'setup') tsk.playbook = SETUP;
      if (state === 'demoEnded') tsk.playbook = 'name: October invoices\nsteps:\n  - navigate: http://portal.example/\n';
      Object.assign(tsk, {
        status: failed ? 'failed' : 'completed',
        endedAt: NOW - 1000,
        startedAt: NOW - 9 * MIN,
        ...(failed
          ? { error: { code: 'targetNotFound', message: 'Step 4, click: no link “2026-10” on the page. The page had the links 2026-09, 2026-08 and Archive.' } }
          : { result: 'Total for October: € 4,318.20. 31 invoices, 2 without an order number. Written to report.md.' }),
      });
      main.agent = { status: 'idle' };
      main.preview = preview('idle', 'https://portal.example/invoices', 'Invoices');
      if (state === 'stopped') main.preview.status = 'off';
      Object.assign(control, { mode: 'idle' });
      picture = 'invoices';
      told = failed ? [...BACK, [0.02, 'sandbox.agent.task.failed', 'agent', { error: tsk.error }]] : DONE;
      files = FILES;
      artifacts = failed
        ? []
        : [artifact(main, tsk, 'report.md', 'text/markdown', 1240), artifact(main, tsk, 'invoices.csv', 'text/csv', 4180), artifact(main, tsk, 'chart.png', 'image/png', 28_211)];
      break;
    }
    case 'broken':
      Object.assign(main, {
        status: 'failed', failure: { code: 'roomLost', message: 'The desktop room ended by itself. What is in the workspace is kept.' },
        agent: { status: 'off' }, preview: { ...main.preview, status: 'failed' },
      });
      Object.assign(tsk, { status: 'failed', endedAt: NOW - 1000, error: { code: 'roomLost', message: 'the sandbox failed' } });
      told = [...WORK, [0.1, 'sandbox.failed', 'system', { message: main.failure.message }]];
      break;
    case 'lost':
      break;
    default:
      throw new Error(`no state ${state}`);
  }
  const checkpoints = [{ id: 'cp_1', sandboxId: main.id, label: 'Before you took over', automatic: true, size: 9_120, newBytes: 812, files: 3, tabs: 1, sha256: 'cd'.repeat(32), createdAt: NOW - 2 * MIN }];
  return {
    main, checkpoints, receipt: RECEIPT, files, artifacts, checks: CHECKS, models: structuredClone(MODELS), control, picture,
    sandboxes: [main, ...rest.map(([sbx]) => sbx)],
    tasks: [...(tsk === null ? [] : [tsk]), ...rest.map(([, each]) => each)],
    events: [...events(main, tsk, told), ...rest.flatMap(([sbx, each, said]) => events(sbx, each, said))],
  };
}

function others() {
  const make = (name, status, over, taskOver, said = STARTED) => {
    const sbx = sandbox(name, status, over);
    return [sbx, task(sbx, name, taskOver.status, taskOver), said];
  };
  const list = [];
  const onboarding = make('Supplier onboarding', 'active', {}, { status: 'waiting', startedAt: NOW - 20 * MIN });
  onboarding[0].handoff = handoff(onboarding[0], onboarding[1], 'Check the bank details before they are sent', NOW - 3.4 * MIN);
  onboarding[0].preview = preview('waiting', 'https://onboarding.example', 'Onboarding');
  list.push(onboarding);
  list.push(
    make('Compare shipping rates', 'active', {}, { status: 'running', startedAt: NOW - 12.07 * MIN }, [
      ...STARTED,
      [0.3, 'sandbox.agent.action', 'agent', { action: { extract: { selector: 'table', to: 'rates.json' } } }],
    ]),
    make('Quarterly filings', 'active', {}, { status: 'running', startedAt: NOW - 4.52 * MIN }, [
      ...STARTED,
      [0.2, 'sandbox.agent.action', 'agent', { action: { write: { path: 'report.md' } } }],
    ]),
    make(
      'Vendor portal', 'active',
      { preview: { ...preview('human', '', ''), controller: 'A colleague' } },
      { status: 'waiting', startedAt: NOW - 1.17 * MIN },
    ),
  );
  const over = (name, minutes, taskOver) =>
    make(name, 'ended', { endedAt: NOW - minutes * MIN, createdAt: NOW - (minutes + 9) * MIN, agent: { status: 'off' } }, { endedAt: NOW - minutes * MIN, ...taskOver });
  list.push(
    over('Customs form 7512', 31, { status: 'completed', result: 'Form sent, number 7512-88' }),
    over('Price watch', 63, { status: 'failed', error: { code: 'targetNotFound', message: 'the site asked for a code twice' } }),
    over('Weekly digest', 101, { status: 'completed', result: 'digest.pdf' }),
    over('Travel costs', 1700, { status: 'completed', result: '12 receipts sorted' }),
    over('Price watch', 1980, { status: 'cancelled' }),
  );
  return list;
}
