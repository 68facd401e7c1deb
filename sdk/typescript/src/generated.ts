// Written by scripts/types.mjs from docs/openapi.json; not to be edited.

/** One page of a list; `nextCursor` asks for the page after it. */
export type ListPage<T> = {
  data: Array<T>;
  nextCursor: string | null;
};

/** What kind of doing a question or a rule is about. */
export type ActKind = "pay" | "send" | "delete" | "publish" | "submit" | "signIn" | "useSecret" | "newDestination";

/** Every action in the browser. */
export type Action = {
  /** Opens an address in the active tab and waits until the page is ready. */
  navigate: Navigate;
} | {
  /** Goes one page back in the active tab. */
  back: Plain;
} | {
  /** Goes one page forward in the active tab. */
  forward: Plain;
} | {
  /** Reloads the page. */
  reload: Plain;
} | {
  /** Clicks an element. Waits until it is visible, stable, enabled and not covered. */
  click: Click;
} | {
  /** Clicks an element twice. */
  doubleClick: Click;
} | {
  /** Moves the pointer to an element without clicking. */
  hover: Hover;
} | {
  /** Drags one element to another with the pointer. */
  drag: Drag;
} | {
  /** Replaces the content of a field with text. */
  type: Type;
} | {
  /** Presses one key, optionally with modifiers. */
  press: Press;
} | {
  /** Selects an option of a list. */
  select: Select;
} | {
  /** Scrolls an element into view, or scrolls an element or the page. */
  scroll: Scroll;
} | {
  /** Waits until an element is visible or gone, or until the address matches. */
  waitFor: Condition;
} | {
  /** Fails unless an element is visible or gone, or unless the address matches. */
  expect: Condition;
} | {
  /** Reads elements as JSON. A table becomes rows, a list becomes items, a field becomes its value. */
  extract: Extract;
} | {
  /** Clicks an element that starts a download, and waits until the file is in the workspace. */
  download: Download;
} | {
  /** Uploads a workspace file through a file field, or through the button that opens a file chooser. */
  upload: Upload;
} | {
  /**
   * Fills in and sends the sign-in form of the page with the user name, password and one-time code from the person's
   * vault. You do not see them. Fails if the vault has none for this exact site.
   */
  signIn: SignIn;
} | {
  /** Lists the open tabs. */
  tabs: Plain;
} | {
  /** Opens a new tab and makes it the active tab. */
  newTab: NewTab;
} | {
  /** Makes a tab the active tab. */
  activateTab: TabChoice;
} | {
  /** Closes a tab. */
  closeTab: TabChoice;
} | {
  /** Answers the open dialog (alert, confirm, prompt, beforeunload). Waits for it if needed. */
  dialog: AnswerDialog;
} | {
  /** Takes a screenshot of the visible part of the page. */
  screenshot: Plain;
} | {
  /** Returns the content of the page, with a reference for each element that can be used. */
  look: Look;
} | {
  /** Finds text anywhere in the page, also outside the visible part. Returns references. */
  find: Find;
};

/** Why an action was not done. */
export type ActionError = {
  message: string;
};

/** On whose behalf something was done. */
export type Actor = "agent" | "person" | "api" | "system";

export type Address = {
  timeoutMs?: number | null;
  /** The address. `https://` is added if it has no scheme. */
  url: string;
};

/** Something was done, or failed, for the task or for a program. */
export type AgentAction = {
  action?: ToldStep | null;
  artifact?: ArtifactKey | null;
  dialogs?: Array<DialogRecord>;
  /** Names of files whose download started. */
  downloadsBegun?: Array<string>;
  /** How long a command ran. */
  durationMs?: number | null;
  error?: ActionError | null;
  /** Exit status of a command. */
  exitCode?: number | null;
  /** Previous address, if the page changed. */
  left?: string | null;
  /** The name in the vocabulary of playbooks and tools, such as `click`. */
  name: string;
  /** What a playbook's `look` or `find` saw. */
  page?: string | null;
  /** Workspace path of the file that it wrote. */
  path?: string | null;
  /** The page afterwards: `GET /v1/pictures/{picture}`. */
  picture?: string | null;
  /** The step that it belongs to. Absent for programs. */
  step?: number | null;
  /** What was done, in a sentence. */
  summary: string;
  /** What a playbook's `tabs` saw. */
  tabs?: Array<Tab> | null;
  /** Names of the tabs that closed. */
  tabsClosed?: Array<string>;
  /** Tabs and popups that opened. */
  tabsOpened?: Array<Tab>;
  title?: string | null;
  /** Address of the active page afterwards. */
  url?: string | null;
};

/** Something was done, or failed, for the task or for a program. */
export type AgentActionEvent = EventEnvelope & {
  data: AgentAction;
  type: "sandbox.agent.action";
};

export type AgentCapability = {
  /** Refused in this version: there is one agent, and a task names its model. */
  defaultAgent?: string | null;
  /** `false` is refused in this version: every sandbox takes tasks. */
  enabled?: boolean;
};

export type AgentInfo = {
  status: AgentStatus;
  taskId?: TaskId | null;
};

/** Somebody says something: the agent, a person who writes to it, a program, or the runtime. */
export type AgentMessage = {
  grantId?: GrantId | null;
  /** The step of the playbook that it is about. */
  step?: number | null;
  text: string;
};

/** Somebody says something: the agent, a person who writes to it, a program, or the runtime. */
export type AgentMessageEvent = EventEnvelope & {
  data: AgentMessage;
  type: "sandbox.agent.message";
};

/** The agent of a sandbox takes tasks. */
export type AgentReady = Record<string, never>;

/** The agent of a sandbox takes tasks. */
export type AgentReadyEvent = EventEnvelope & {
  data: AgentReady;
  type: "sandbox.agent.ready";
};

export type AgentStatus = "off" | "idle" | "running" | "waiting";

/** The agent begins a step. One of a playbook has `of`, `name` and `summary`; one of a model `wants`, `model` and `usage`. */
export type AgentStep = {
  model?: string | null;
  /** The step's name in the playbook, such as `click`. */
  name?: string | null;
  /** How many steps the playbook has. */
  of?: number | null;
  /** From 1. */
  step: number;
  /** The step in words. */
  summary?: string | null;
  /** What the model says or thinks. */
  text?: string | null;
  usage?: StepUsage | null;
  /** The tools that the model wants to use. */
  wants?: Array<string> | null;
};

/** The agent begins a step. One of a playbook has `of`, `name` and `summary`; one of a model `wants`, `model` and `usage`. */
export type AgentStepEvent = EventEnvelope & {
  data: AgentStep;
  type: "sandbox.agent.step";
};

/** Where the agent's side points on the page, in CSS pixels from its top left, and what it does there. */
export type Aim = {
  /** The action's name in the vocabulary; absent where a program moves the pointer by itself. */
  action?: string | null;
  /** The element's name, never its typed text. */
  name?: string | null;
  /** The size of the page, which lies at the bottom left of the screen. */
  page: Screen;
  /** Whether a button goes down here. */
  pressed: boolean;
  target?: AimBox | null;
  x: number;
  y: number;
};

/** A box on the page, in CSS pixels. */
export type AimBox = {
  height: number;
  left: number;
  top: number;
  width: number;
};

/** Money, in hundredths of its unit. */
export type Amount = {
  /** ISO 4217 letters; empty where none was seen. */
  currency: string;
  hundredths: number;
};

/** Arguments of `dialog`: the answer alone, or with options. */
export type AnswerDialog = DialogAnswer | DialogReply;

/** One question to a person. It has no expiry: nobody's silence is an answer. */
export type Approval = {
  approvalId: ApprovalId;
  decidedAt?: number | null;
  decidedBy?: Actor | null;
  grantId?: GrantId | null;
  /** SHA-256 of the proposal, in hexadecimal. */
  hash: string;
  /** Whether a request stands still at the network until this is answered. */
  held: boolean;
  note?: string | null;
  proposal: Proposal;
  /** Why it is void or superseded. */
  reason?: string | null;
  requestedAt: number;
  sandboxId: SandboxId;
  status: ApprovalStatus;
  taskId?: TaskId | null;
  updatedAt: number;
};

/** A question is over. */
export type ApprovalDecided = {
  approvalId: ApprovalId;
  grantId?: GrantId | null;
  kind?: ActKind | null;
  /** The person's line for the agent. */
  note?: string | null;
  /** Why it is void or superseded. */
  reason?: string | null;
  status: ApprovalStatus;
  /** The action in words. Absent where an older version wrote it. */
  summary?: string | null;
};

/** A question is over. */
export type ApprovalDecidedEvent = EventEnvelope & {
  data: ApprovalDecided;
  type: "sandbox.approval.decided";
};

/** A person's answer. */
export type ApprovalDecision = {
  decision: Verdict;
  /** `hash` of what was shown; another one is refused. */
  hash?: string | null;
  /** A line for the agent. */
  note?: string | null;
  scope?: GrantScope | null;
};

/** One question to a person: may this be done? */
export type ApprovalId = string;

/** A person is asked whether something may be done. The proposal is as in `Approval`. */
export type ApprovalRequested = {
  amount?: Amount | null;
  approvalId: ApprovalId;
  /** The true address that it goes to. */
  destination: string;
  fields: Array<ShownField>;
  /** SHA-256 of the proposal, in hexadecimal. */
  hash: string;
  /** Whether a request stands still at the network until this is answered. */
  held: boolean;
  kind: ActKind;
  method?: string | null;
  site: string;
  /** The action in words: `click button "Pay now"`. */
  summary: string;
};

/** A person is asked whether something may be done. The proposal is as in `Approval`. */
export type ApprovalRequestedEvent = EventEnvelope & {
  data: ApprovalRequested;
  type: "sandbox.approval.requested";
};

export type ApprovalStatus = "pending" | "approved" | "denied" | "void" | "superseded";

/** A durable output that outlives the sandbox. */
export type Artifact = {
  contentType: string;
  createdAt: number;
  key: ArtifactKey;
  kind: ArtifactKind;
  name: string;
  recorded?: RecordedSpan | null;
  sandboxId: SandboxId;
  /** Lower-case hexadecimal. */
  sha256: string;
  size: number;
  taskId?: TaskId | null;
};

/** A durable output; `key` on the wire. */
export type ArtifactKey = string;

export type ArtifactKind = "file" | "document" | "package" | "recording" | "checkpoint";

/** An artifact was saved or deleted. */
export type ArtifactsUpdated = {
  deleted?: boolean;
  key: ArtifactKey;
  name: string;
  /** Of its content, in lower-case hexadecimal. Absent if it was deleted. */
  sha256?: string | null;
  /** Bytes. Absent if it was deleted. */
  size?: number | null;
};

/** An artifact was saved or deleted. */
export type ArtifactsUpdatedEvent = EventEnvelope & {
  data: ArtifactsUpdated;
  type: "sandbox.artifacts.updated";
};

export type BackendKind = "local" | "docker";

export type BrowserCapability = {
  /** `http://`, `https://` or `socks5://` proxy, credentials in the user info. */
  byoProxyUrl?: string | null;
  /**
   * After how many milliseconds without use or watchers the browser is stopped. Its tabs and sign-ins come back when it is
   * used again. Default 600000; at least 1000, or 0 to never stop it.
   */
  idleMs?: number | null;
  /** Name of a profile that outlives the sandbox; without it the profile ends with the sandbox. */
  profile?: string | null;
  /** Whether the page is recorded: at most 500 MB or four hours, without what a person does. */
  recording?: boolean;
  /** Whether commands in the sandbox's shell may drive the browser by its debugging endpoint, at `BATON_CDP_URL`. */
  shellAccess?: boolean;
  viewport?: Viewport;
};

/** A dialog of the browser's own came, was refused, or went. */
export type BrowserDialog = {
  handoff?: DialogAsk | null;
  kind: DialogKind;
  message: string;
  state: DialogState;
};

/** A dialog of the browser's own came, was refused, or went. */
export type BrowserDialogEvent = EventEnvelope & {
  data: BrowserDialog;
  type: "sandbox.browser.dialog";
};

/** The browser, or a page of it, was lost. */
export type BrowserFailed = {
  message: string;
};

/** The browser, or a page of it, was lost. */
export type BrowserFailedEvent = EventEnvelope & {
  data: BrowserFailed;
  type: "sandbox.browser.failed";
};

/** The active page has another address. Not told while a person drives. */
export type BrowserNavigated = {
  title: string;
  url: string;
};

/** The active page has another address. Not told while a person drives. */
export type BrowserNavigatedEvent = EventEnvelope & {
  data: BrowserNavigated;
  type: "sandbox.browser.navigated";
};

/** The browser of a sandbox is up. */
export type BrowserReady = Record<string, never>;

/** The browser of a sandbox is up. */
export type BrowserReadyEvent = EventEnvelope & {
  data: BrowserReady;
  type: "sandbox.browser.ready";
};

/** `false`: no browser. `true`: a browser with the defaults. Else the browser that is wanted. */
export type BrowserSwitch = boolean | BrowserCapability;

/** Who takes control, as others are to see it. */
export type ByController = {
  controller: string;
};

export type Capabilities = {
  agent?: AgentCapability;
  /** `false` for a sandbox without a browser. */
  browser?: BrowserSwitch;
  documents?: DocumentsCapability;
  storage?: StorageCapability;
};

/** A file that differs between a checkpoint and the workspace as it is now. */
export type ChangedFile = {
  change: FileDifference;
  /** Path in the workspace. */
  path: string;
  /** Bytes now; 0 where it is not there. */
  size: number;
  /** Bytes in the checkpoint; 0 where it was not there. */
  sizeThen: number;
};

/** One check of this machine, with the command that mends it. */
export type Check = {
  fix?: string | null;
  /** What was found, in a sentence. */
  found: string;
  /** A short stable name: `bubblewrap`, `userNamespaces`, `chromium`, … */
  name: string;
  ok: boolean;
  /** Whether the main job needs it. */
  required: boolean;
};

/** What a playbook that can run holds. */
export type CheckedPlaybook = {
  name: string;
  /** The defaults of its parameters; `null` for one without a default. */
  params: Record<string, string | null>;
  /** The names of its steps, in order. */
  steps: Array<string>;
};

/** A sandbox as it was at one moment: its files, its browser's sign-ins and its open tabs. */
export type Checkpoint = {
  /** Whether Baton took it by itself. Only the newest of those are kept. */
  automatic: boolean;
  createdAt: number;
  /** How many files of the workspace it holds. */
  files: number;
  id: CheckpointId;
  label?: string | null;
  /** Bytes that it added on the disk: what no other checkpoint had. */
  newBytes: number;
  sandboxId: SandboxId;
  /** SHA-256 of its list of files. Lower-case hexadecimal. */
  sha256: string;
  /** Bytes of all files in it, those of the browser too. */
  size: number;
  /** What of the workspace is not in it, by path: sockets, pipes, devices and what could not be read. The first 20. */
  skipped?: Array<string>;
  /** How many tabs it holds. */
  tabs: number;
};

/** A checkpoint was taken. */
export type CheckpointCreated = {
  /** Whether Baton took it by itself. */
  automatic: boolean;
  id: CheckpointId;
  label?: string | null;
  /** Bytes that it added on the disk. */
  newBytes: number;
  /** Bytes of all files in it. */
  size: number;
};

/** A checkpoint was taken. */
export type CheckpointCreatedEvent = EventEnvelope & {
  data: CheckpointCreated;
  type: "sandbox.checkpoint.created";
};

/** The files that differ between a checkpoint and the workspace as it is now. */
export type CheckpointDiff = {
  /** In the order of their paths, 2,000 at most. */
  data: Array<ChangedFile>;
  /** There are more than are listed. */
  truncated: boolean;
};

/** A sandbox as it was at one moment. */
export type CheckpointId = string;

/** A sandbox is as it was at a checkpoint. */
export type CheckpointRestored = {
  from?: SandboxId | null;
  id: CheckpointId;
  label?: string | null;
};

/** A sandbox is as it was at a checkpoint. */
export type CheckpointRestoredEvent = EventEnvelope & {
  data: CheckpointRestored;
  type: "sandbox.checkpoint.restored";
};

export type Checks = {
  data: Array<Check>;
};

/** Arguments of `click` and `doubleClick`. */
export type Click = {
  dialog?: DialogAnswer | null;
  /** Label of a form field. */
  label?: string | null;
  /** Accessible name, or a part of it. */
  name?: string | null;
  placeholder?: string | null;
  /** Text to enter when a `prompt` dialog is accepted. */
  promptText?: string | null;
  /** Reference from the latest look, such as `e12`. This is the most reliable way to name an element. */
  ref?: string | null;
  /** Accessible role, such as `button`. */
  role?: string | null;
  /** CSS selector. */
  selector?: string | null;
  /** Value of `data-testid`. */
  testId?: string | null;
  /** Visible text of the element. */
  text?: string | null;
  /** How long to wait for the element, in milliseconds. Default 10000. */
  timeoutMs?: number | null;
};

export type CodeLanguage = "python" | "javascript" | "typescript" | "bash";

export type CodeRequest = {
  code: string;
  language: CodeLanguage;
  timeoutMs?: number | null;
};

/** Arguments of `waitFor` and `expect`: an element is visible, and the address matches. */
export type Condition = {
  /** Set to true to wait until no such element is visible. */
  gone?: boolean | null;
  /** Label of a form field. */
  label?: string | null;
  /** Accessible name, or a part of it. */
  name?: string | null;
  placeholder?: string | null;
  /** Reference from the latest look, such as `e12`. This is the most reliable way to name an element. */
  ref?: string | null;
  /** Accessible role, such as `button`. */
  role?: string | null;
  /** CSS selector. */
  selector?: string | null;
  /** Value of `data-testid`. */
  testId?: string | null;
  /** Visible text. */
  text?: string | null;
  /** How long to wait for the element, in milliseconds. Default 10000. */
  timeoutMs?: number | null;
  /** Address pattern. `*` matches within one path segment, `**` across segments. */
  url?: string | null;
};

/** Somebody else drives now, or nobody. */
export type ControlChanged = {
  /** The person who drives, by name. */
  controller?: string | null;
  mode: ControlMode;
};

/** Somebody else drives now, or nobody. */
export type ControlChangedEvent = EventEnvelope & {
  data: ControlChanged;
  type: "sandbox.control.changed";
};

/** Who drives. */
export type ControlMode = "ai" | "human" | "shared" | "idle" | "waiting";

/** Who drives, as one live view sees it. */
export type ControlView = {
  /** What a person is asked for; absent while nobody is. */
  asks?: string | null;
  controller?: string | null;
  /** The job that is seen here, by its name. */
  job?: string | null;
  lapsesAt?: number | null;
  lease?: Lease | null;
  mode: ControlMode;
  /** Whether an action is still in flight and the wheel is on its way. */
  settling: boolean;
  since?: number | null;
  /** Name of the person asking for control. */
  wantedBy?: string | null;
  /** Whether the request came from this view. */
  wantedByYou: boolean;
  /** Whether this view's person drives. */
  yours: boolean;
};

/** What came of a conversion. */
export type Conversion = {
  /** The result, kept after the sandbox ends. */
  artifact: Artifact;
  durationMs: number;
  /** The result in the workspace; of several pages, the first. */
  path: string;
  /** Every file that was made: more than one for a PDF of several pages that becomes pictures. */
  paths: Array<string>;
};

/** Arguments of `convert`. */
export type ConvertFile = {
  /** Path of the result in the workspace; an existing file is replaced. Default: the same path with the new ending. */
  output?: string | null;
  /** Path of a file in the workspace. Its ending says what it is. */
  path: string;
  /** What it becomes. */
  to: DocumentFormat;
};

export type CpusInForce = {
  by: EnforcedBy;
  value: number;
};

/** An entry of the vault, without its values: they are never returned. */
export type Credential = {
  createdAt: number;
  /** Whether it has a password. */
  hasPassword: boolean;
  /** Whether it makes one-time codes. */
  hasTotp: boolean;
  /** Of a secret: the hosts that it is for, as in `network.allow`. A command gets it in a sandbox that reaches no other. */
  hosts?: Array<string>;
  id: CredentialId;
  kind: CredentialKind;
  lastUsedAt?: number | null;
  lastUsedBy?: TaskId | null;
  /** What people call it; of a secret, the name that commands use. */
  name: string;
  /** The sites that its passkeys are for (relying party identifiers). */
  passkeySites?: Array<string>;
  /** How many passkeys it has. */
  passkeys: number;
  rule: CredentialRule;
  /** Where a login is filled in: `portal.example`, `*.portal.example`, or an origin such as `http://127.0.0.1:8080`. */
  site?: string | null;
  source: CredentialSource;
  /** The item of the password manager that has its values, as its program names it. */
  sourceId?: string | null;
  updatedAt: number;
  username?: string | null;
};

/** An entry of the vault. */
export type CredentialId = string;

/** Sign-ins as a browser or a password manager exports them. */
export type CredentialImport = {
  /** The CSV file, with its first line. */
  csv: string;
  /** Rule of every entry. Default `ask`. */
  rule?: CredentialRule;
};

/** What an entry of the vault is for. */
export type CredentialKind = "login" | "secret";

/** Changes to an entry. Fields that are left out stay the same. An empty text removes a value. */
export type CredentialPatch = {
  hosts?: Array<string> | null;
  name?: string | null;
  note?: string | null;
  /** 0 forgets its passkeys. No other number can be sent. */
  passkeys?: number | null;
  password?: string | null;
  rule?: CredentialRule | null;
  site?: string | null;
  totp?: string | null;
  /** A picture of the QR code for one-time codes, in place of `totp`: PNG or JPEG, in base64. */
  totpPicture?: string | null;
  username?: string | null;
  value?: string | null;
};

/** Whether an entry may be used without asking a person. */
export type CredentialRule = "fill" | "ask" | "never";

/** Where the values of an entry are. */
export type CredentialSource = "local" | "1password" | "bitwarden";

/** One line of the ledger: an entry was opened to be filled in. */
export type CredentialUse = {
  at: number;
  credentialId: CredentialId;
  sandboxId: SandboxId;
  /** Origin of the document that it was filled into. */
  site: string;
  taskId?: TaskId | null;
  username?: string | null;
};

/** An entry of the vault was opened to be filled in. Its values are in no event. */
export type CredentialUsed = {
  credentialId: CredentialId;
  /** It signs in with a passkey: nothing is filled in. */
  passkey?: boolean;
  /** Origin of the document that it was filled into. */
  site: string;
  /** Who keeps its values. Default `local`: Baton's own vault. */
  source?: CredentialSource;
  username?: string | null;
};

/** An entry of the vault was opened to be filled in. Its values are in no event. */
export type CredentialUsedEvent = EventEnvelope & {
  data: CredentialUsed;
  type: "sandbox.credential.used";
};

/** A loopback port that speaks the debugging protocol, to programs of the runtime's own user. */
export type DebuggingPort = {
  expiresAt: number;
  host: string;
  port: number;
};

/** Addresses that need no token; whoever has them drives the browser. */
export type DebuggingUrl = {
  expiresAt: number;
  httpUrl: string;
  wsUrl: string;
};

/** One message to one webhook. */
export type Delivery = {
  /** Since it was made, or resent. */
  attempts: number;
  createdAt: number;
  deliveredAt?: number | null;
  eventId?: EventId | null;
  /** `webhook-id`: the same at each attempt. */
  id: DeliveryId;
  lastAttemptAt?: number | null;
  /** What went wrong last, in a sentence. */
  lastError?: string | null;
  /** What the receiver answered last. */
  lastStatus?: number | null;
  nextAttemptAt?: number | null;
  status: DeliveryStatus;
  /** Of the event, or `webhook.test`. */
  type: string;
  webhookId: WebhookId;
};

/** One message to one webhook; `webhook-id` in its headers. */
export type DeliveryId = string;

export type DeliveryStatus = "pending" | "delivered" | "failed";

export type Demo = {
  sandboxId: SandboxId;
  taskId: TaskId;
};

/** How to answer a `confirm` or `prompt` dialog that the action opens. Default: dismiss. */
export type DialogAnswer = "accept" | "dismiss";

/** A request for a person, ready to be made. */
export type DialogAsk = {
  message: string;
  reason: HandoffReason;
};

/** A dialog of the browser's own, not of a page. */
export type DialogKind = "passkey" | "externalApp" | "print" | "httpAuth" | "fileChooser" | "permission" | "certificate";

/** A dialog that opened during an action, and how it was answered. */
export type DialogRecord = {
  accepted: boolean;
  /** `alert`, `confirm`, `prompt` or `beforeunload`; or a kind of the browser's own dialogs, such as `passkey`. */
  kind: string;
  message: string;
};

/** Arguments of `dialog`. */
export type DialogReply = {
  /** What it is answered. */
  answer: DialogAnswer;
  /** What to type into a `prompt` that is accepted. */
  promptText?: string | null;
  /** How long to wait for a dialog, in milliseconds. Default 10000. */
  timeoutMs?: number | null;
};

/** What became of a dialog of the browser's own. */
export type DialogState = "open" | "closed" | "refused" | "answered";

/** What a sandbox holds on the disk, in bytes. */
export type DiskUsage = {
  artifactBytes: number;
  /** Of the contents of its checkpoints, each counted once. */
  checkpointBytes: number;
  files: number;
  folders: number;
  trashBytes: number;
  /** Whether the workspace has more than was counted. */
  truncated: boolean;
  /** Of the workspace. */
  workspaceBytes: number;
};

/** A document was converted. */
export type DocumentConverted = {
  /** The result, kept after the sandbox ends. */
  artifact: ArtifactKey;
  durationMs: number;
  /** The result in the workspace; of several pages, the first. */
  output: string;
  /** How many files were made. */
  pages: number;
  /** The document in the workspace. */
  path: string;
  to: DocumentFormat;
};

/** A document was converted. */
export type DocumentConvertedEvent = EventEnvelope & {
  data: DocumentConverted;
  type: "sandbox.document.converted";
};

/** What a document becomes. */
export type DocumentFormat = "pdf" | "docx" | "html" | "md" | "png" | "txt";

export type DocumentsCapability = {
  /** `true` is refused in this version: documents are not converted. */
  libreofficeHeadless?: boolean;
};

/** Arguments of `download`: the element to click to start it. */
export type Download = {
  /** Element to click. */
  click: Target;
  timeoutMs?: number | null;
  /** Workspace path to move the file to. */
  to?: string | null;
};

/** Arguments of `drag`. */
export type Drag = {
  /** Element to drag. */
  from: Target;
  timeoutMs?: number | null;
  /** Element to drop it on. */
  to: Target;
};

export type Emptied = {
  freedBytes: number;
};

/** The sandbox as it ended; with `forget`, what was deleted. */
export type Ended = Sandbox | Forgotten;

/** What holds a sandbox to a limit. */
export type EnforcedBy = "cgroup2" | "cgroup1" | "rlimit" | "watchdog" | "quota" | "engine";

export type Entries = {
  data: Array<FileEntry>;
  /** Whether entries were left out because there are too many. */
  truncated: boolean;
};

/** The body of every refusal. */
export type ErrorBody = {
  error: ErrorDetail;
};

/** The error codes of the contract. */
export type ErrorCode = "unauthorized" | "forbidden" | "notFound" | "methodNotAllowed" | "invalid" | "conflict" | "heldByPerson" | "waitingForPerson" | "heldByOther" | "staleLease" | "tooLarge" | "unsupportedMediaType" | "idempotencyMismatch" | "overloaded" | "timeout" | "noModel" | "noCredential" | "wrongOrigin" | "internal" | "unavailable";

export type ErrorDetail = {
  /** For programs. */
  code: ErrorCode;
  details?: unknown;
  /** What to do about it. */
  hint?: string | null;
  /** What happened, in a sentence. */
  message: string;
};

/** Something that happened, as it is stored: committed before it is published, numbered without gaps per sandbox. More types may come: leave out what you do not know. */
export type Event = SandboxCreatedEvent | SandboxAssignedEvent | SandboxReadyEvent | SandboxPausedEvent | SandboxResumedEvent | SandboxEndedEvent | SandboxFailedEvent | RecoveredEvent | AgentReadyEvent | TaskQueuedEvent | TaskStartedEvent | TaskCompletedEvent | TaskFailedEvent | TaskCancelledEvent | AgentStepEvent | AgentActionEvent | AgentMessageEvent | BrowserReadyEvent | BrowserFailedEvent | BrowserNavigatedEvent | BrowserDialogEvent | ApprovalRequestedEvent | ApprovalDecidedEvent | HandoffRequestedEvent | HandoffAcceptedEvent | HandoffCompletedEvent | HandoffCancelledEvent | HandoffExpiredEvent | ControlChangedEvent | ExecCompletedEvent | FileChangedEvent | DocumentConvertedEvent | CheckpointCreatedEvent | CheckpointRestoredEvent | ArtifactsUpdatedEvent | NetworkDeniedEvent | CredentialUsedEvent;

export type EventEnvelope = {
  /** Milliseconds since the Unix epoch. */
  at: number;
  by: Actor;
  id: EventId;
  sandboxId: SandboxId;
  /** From 1, without gaps, per sandbox. */
  seq: number;
  taskId?: TaskId;
};

/** A committed event. */
export type EventId = string;

/** The type of an event. */
export type EventType = "sandbox.created" | "sandbox.assigned" | "sandbox.ready" | "sandbox.paused" | "sandbox.resumed" | "sandbox.ended" | "sandbox.failed" | "sandbox.recovered" | "sandbox.agent.ready" | "sandbox.agent.task.queued" | "sandbox.agent.task.started" | "sandbox.agent.task.completed" | "sandbox.agent.task.failed" | "sandbox.agent.task.cancelled" | "sandbox.agent.step" | "sandbox.agent.action" | "sandbox.agent.message" | "sandbox.browser.ready" | "sandbox.browser.failed" | "sandbox.browser.navigated" | "sandbox.browser.dialog" | "sandbox.approval.requested" | "sandbox.approval.decided" | "sandbox.handoff.requested" | "sandbox.handoff.accepted" | "sandbox.handoff.completed" | "sandbox.handoff.cancelled" | "sandbox.handoff.expired" | "sandbox.control.changed" | "sandbox.exec.completed" | "sandbox.file.changed" | "sandbox.document.converted" | "sandbox.checkpoint.created" | "sandbox.checkpoint.restored" | "sandbox.artifacts.updated" | "sandbox.network.denied" | "sandbox.credential.used" | "sandbox.agent.failed";

/** A limit of the sandbox, by its name in `limits`. */
export type ExceededLimit = "memoryMb" | "pids" | "diskMb";

/** A command has ended. */
export type ExecCompleted = {
  /** The command line, shortened. */
  command: string;
  durationMs: number;
  /** The exit status, or 128 + the signal's number. */
  exitCode: number;
  limitExceeded?: ExceededLimit | null;
  timedOut: boolean;
};

/** A command has ended. */
export type ExecCompletedEvent = EventEnvelope & {
  data: ExecCompleted;
  type: "sandbox.exec.completed";
};

/** One command. `command` runs directly, without a shell. */
export type ExecRequest = {
  args?: Array<string>;
  command: string;
  /** Working folder in the workspace. Default: the workspace root. */
  cwd?: string | null;
  env?: Record<string, string>;
  stdin?: string | null;
  /** Time limit in milliseconds, 1 to 3,600,000. Default 120,000. */
  timeoutMs?: number | null;
};

/** How a command ended. Of each output stream, the last 1 MiB is kept. */
export type ExecResult = {
  durationMs: number;
  /** The exit status, or 128 + the signal's number. */
  exitCode: number;
  limitExceeded?: ExceededLimit | null;
  signal?: string | null;
  stderr: string;
  stderrTruncated: boolean;
  stdout: string;
  stdoutTruncated: boolean;
  timedOut: boolean;
};

/** Arguments of `extract`: the visible content of elements as JSON. A table becomes rows, a list becomes items. */
export type Extract = {
  /** CSS selector of the elements to read. */
  selector: string;
  timeoutMs?: number | null;
  /** Workspace path for the JSON file. */
  to?: string | null;
};

/** What went wrong: a code for programs, a sentence for people. */
export type Failure = {
  code: string;
  message: string;
};

/** What happened to a path. */
export type FileChange = "written" | "removed" | "downloaded";

/** A path of the workspace changed through Baton. What commands change is not told. */
export type FileChanged = {
  change: FileChange;
  path: string;
};

/** A path of the workspace changed through Baton. What commands change is not told. */
export type FileChangedEvent = EventEnvelope & {
  data: FileChanged;
  type: "sandbox.file.changed";
};

/** How the workspace differs from a checkpoint. */
export type FileDifference = "added" | "removed" | "changed";

/** One entry of the workspace. */
export type FileEntry = {
  kind: FileKind;
  modifiedAt: number;
  /** Relative to the workspace, `/` between parts. */
  path: string;
  /** Bytes. */
  size: number;
};

export type FileKind = "file" | "directory" | "symlink" | "other";

/** A file whose path has the words, or a line of a file that does. */
export type FileMatch = {
  kind: FileKind;
  /** Counted from 1; absent where the path has the words. */
  line?: number | null;
  modifiedAt: number;
  /** Relative to the workspace, `/` between parts. */
  path: string;
  /** Bytes. */
  size: number;
  /** What stands there. */
  text?: string | null;
};

export type FileMatches = {
  data: Array<FileMatch>;
  /** Whether there may be more: the search ended at its limit, or took too long. */
  truncated: boolean;
};

/** Arguments of `find`. */
export type Find = {
  /** Reference of an element to search in. Default: the whole page. */
  ref?: string | null;
  /** Text to search for in text, names and values. Case is ignored. */
  text: string;
  timeoutMs?: number | null;
};

/** Arguments of `done`. */
export type Finish = {
  /** The result for the person to read. Give the answer itself, not a statement that there is one. */
  result: string;
  /** Set to false if the task could not be done. Then `result` says why and what would help. */
  success?: boolean | null;
};

export type Folder = {
  path: string;
};

/** The answer with `forget`: nothing of the sandbox is left. */
export type Forgotten = {
  /** Always `true`. */
  forgotten: boolean;
  /** Bytes of files that were deleted. */
  freedBytes: number;
};

/** From the live view. */
export type FromViewer = {
  h264: boolean;
  /** At most so many pictures a second, 1 to 60; without it, each as soon as it comes. */
  rate?: number | null;
  /** Shows the screen this many times smaller in each direction, 1 to 16; without it, as it is. */
  scale?: number | null;
  type: "hello";
} | {
  sentAt: number;
  type: "ping";
} | {
  picture: number;
  type: "shown";
} | {
  controller: string;
  type: "take";
} | {
  note?: string | null;
  type: "handBack";
  typed?: TypedText | null;
} | {
  event: InputEvent;
  lease: Lease;
  type: "input";
} | {
  lease: Lease;
  text: string;
  type: "paste";
} | {
  lease: Lease;
  type: "copy";
} | {
  controller: string;
  type: "askControl";
} | {
  type: "giveControl";
} | {
  type: "keepControl";
};

export type GapReason = "person" | "typed" | "browser" | "limit" | "diskFull";

/** A standing permission: task × site × kind, within limits. It ends with its task at the latest. */
export type Grant = {
  approvalId: ApprovalId;
  createdAt: number;
  expiresAt?: number | null;
  grantId: GrantId;
  kind: ActKind;
  maxAmount?: Amount | null;
  maxUses?: number | null;
  revokedAt?: number | null;
  sandboxId: SandboxId;
  /** Site of the destination, with a port where it is not the usual one. */
  site: string;
  /** In hundredths, of what had an amount. */
  spent: number;
  taskId: TaskId;
  usedAt?: number | null;
  uses: number;
};

/** A standing permission that an approval gave. */
export type GrantId = string;

/** How far an approval goes beyond this once. */
export type GrantScope = {
  amount?: Amount | null;
  expiresInMs?: number | null;
  /** How often more; without a limit when absent. */
  uses?: number | null;
};

/**
 * A line for the agent, and what becomes of what the person typed and is still on the page. Without a word about it the
 * document stays closed to programs.
 */
export type HandBack = {
  /** Those fields are emptied. Not together with `reveal`. */
  clear?: boolean;
  note?: string | null;
  /** Programs may read it. */
  reveal?: boolean;
};

/** A recorded request that a person do something. */
export type Handoff = {
  acceptedAt?: number | null;
  completedAt?: number | null;
  controller?: string | null;
  expiresAt?: number | null;
  message: string;
  /**
   * Site of the sign-in form on the page, if the vault has no sign-in for it. Save one, then fill it in with
   * `POST /v1/sandboxes/{id}/handoff/sign-in`.
   */
  missingSignIn?: string | null;
  note?: string | null;
  reason: HandoffReason;
  receipt?: Receipt | null;
  requestId: HandoffId;
  requestedAt: number;
  requestedBy: RequestedBy;
  resumePrompt?: string | null;
  sandboxId: SandboxId;
  status: HandoffStatus;
  taskId?: TaskId | null;
  until?: Until | null;
  updatedAt: number;
};

/** A person drives. */
export type HandoffAccepted = {
  /** Who drives, by name. */
  controller: string;
  requestId: HandoffId;
};

/** A person drives. */
export type HandoffAcceptedEvent = EventEnvelope & {
  data: HandoffAccepted;
  type: "sandbox.handoff.accepted";
};

/** A request was called off. */
export type HandoffCancelled = {
  heldMs?: number | null;
  /** Why, if the runtime stopped while it stood. */
  message?: string | null;
  requestId: HandoffId;
  takeovers?: number | null;
};

/** A request was called off. */
export type HandoffCancelledEvent = EventEnvelope & {
  data: HandoffCancelled;
  type: "sandbox.handoff.cancelled";
};

/** Control was handed back, or what was asked for was met without anybody. */
export type HandoffCompleted = {
  /** For how long persons held control. */
  heldMs?: number | null;
  message?: string | null;
  note?: string | null;
  reason?: HandoffReason | null;
  receipt?: Receipt | null;
  requestId: HandoffId;
  /** How often a person took control. */
  takeovers?: number | null;
  /** Set if nobody was asked because `until` was met already; `reason` and `message` then say what was asked for. */
  untilMet?: boolean | null;
};

/** Control was handed back, or what was asked for was met without anybody. */
export type HandoffCompletedEvent = EventEnvelope & {
  data: HandoffCompleted;
  type: "sandbox.handoff.completed";
};

/** The answer of every handoff route. */
export type HandoffEnvelope = {
  handoff: Handoff | null;
  ok: boolean;
  preview: Preview;
};

/** A request ran out of time. */
export type HandoffExpired = {
  heldMs?: number | null;
  requestId: HandoffId;
  takeovers?: number | null;
};

/** A request ran out of time. */
export type HandoffExpiredEvent = EventEnvelope & {
  data: HandoffExpired;
  type: "sandbox.handoff.expired";
};

/** A recorded request that a person do something; `requestId` on the wire. */
export type HandoffId = string;

/** Why a person is asked. */
export type HandoffReason = "mfa" | "captcha" | "approval" | "login_failed" | "ambiguous_ui" | "file_download" | "custom";

/** A request for a person. */
export type HandoffRequest = {
  /** Time until the request expires, in milliseconds. Default: it does not expire. */
  expiresInMs?: number | null;
  message: string;
  reason: HandoffReason;
  resumePrompt?: string | null;
  until?: Until | null;
};

/** A person is asked for, or takes control without being asked (`by` is `person`). */
export type HandoffRequested = {
  /** This was asked before: the person who drove left without handing back, or the runtime was restarted. */
  again?: boolean;
  message: string;
  reason: HandoffReason;
  requestId: HandoffId;
};

/** A person is asked for, or takes control without being asked (`by` is `person`). */
export type HandoffRequestedEvent = EventEnvelope & {
  data: HandoffRequested;
  type: "sandbox.handoff.requested";
};

export type HandoffStatus = "pending" | "accepted" | "completed" | "cancelled" | "expired";

export type Health = {
  /** `ok`. */
  status: string;
  version: string;
};

/** Something that the search found: a task by its own words or by those of its events, or an event outside any task. */
export type Hit = {
  /** When what was found came about. */
  at: number;
  sandboxId: SandboxId;
  /** Plain text around the first place that was found; `…` where it was cut. */
  snippet: string;
  taskId?: TaskId | null;
  /** The task's title, or the event's type. */
  title: string;
};

/** Arguments of `hover`. */
export type Hover = {
  /** Label of a form field. */
  label?: string | null;
  /** Accessible name, or a part of it. */
  name?: string | null;
  placeholder?: string | null;
  /** Reference from the latest look, such as `e12`. This is the most reliable way to name an element. */
  ref?: string | null;
  /** Accessible role, such as `button`. */
  role?: string | null;
  /** CSS selector. */
  selector?: string | null;
  /** Value of `data-testid`. */
  testId?: string | null;
  /** Visible text of the element. */
  text?: string | null;
  /** How long to wait for the element, in milliseconds. Default 10000. */
  timeoutMs?: number | null;
};

/** The result of an import. */
export type ImportedCredentials = {
  imported: number;
  /** How many lines were not saved. */
  nSkipped: number;
  /** The first of them. */
  skipped: Array<SkippedLine>;
};

/** What the person did. Coordinates are pixels of the sandbox's screen, origin top left. */
export type InputEvent = {
  kind: "move";
  x: number;
  y: number;
} | {
  button: number;
  down: boolean;
  kind: "button";
  x: number;
  y: number;
} | {
  dx: number;
  dy: number;
  kind: "wheel";
  x: number;
  y: number;
} | {
  code: string;
  down: boolean;
  key: string;
  kind: "key";
} | {
  kind: "text";
  text: string;
} | {
  kind: "compose";
  text: string;
} | {
  kind: "blur";
};

/** An address that opens the interface once. */
export type InterfaceLink = {
  url: string;
};

/** What becomes of a sign-in that a person typed. */
export type KeepDecision = "keep" | "notNow" | "never";

export type KeyState = "open" | "locked" | "new";

/** Where the keys of models are kept. */
export type KeyStorage = {
  state: KeyState;
  store: KeyStore;
};

export type KeyStore = "keyring" | "file";

/** Says who may act on the browser. It only grows; the newest is the only live one. */
export type Lease = number;

export type LimitInForce = {
  by: EnforcedBy;
  value: number;
};

/** Limits that the sandbox is held to. One that this machine cannot enforce is refused. */
export type Limits = {
  /** Processors, 0.5 for half of one; at least 0.1. Default: all of them. */
  cpus?: number | null;
  /** Size of the workspace in MiB; at least 1. Default: 10240, or half of what is free if that is less. */
  diskMb?: number | null;
  /** The sandbox ends when nobody worked in it or watched it for so long; at least 1. */
  idleMs?: number | null;
  /** Memory of all processes together, in MiB; at least 256. Default: half of the machine's. */
  memoryMb?: number | null;
  /** Processes and threads; at least 64. Default: 4096. */
  pids?: number | null;
};

/** What each limit is, and what holds the sandbox to it. A limit that nothing holds is left out. */
export type LimitsInForce = {
  cpus?: CpusInForce | null;
  diskMb?: LimitInForce | null;
  idleMs?: LimitInForce | null;
  memoryMb?: LimitInForce | null;
  pids?: LimitInForce | null;
};

export type Link = {
  expiresAt: number;
  url: string;
};

export type LinkRequest = {
  mode: ViewerMode;
  /** `true` is refused: links work on this machine only. */
  shareable?: boolean;
  /** How long the link can be opened, in milliseconds: 1,000 to 86,400,000. Default 300,000. */
  ttlMs?: number | null;
};

/** Arguments of `list`. */
export type ListFolder = {
  /** Folder in the workspace. Default: the workspace root. */
  path?: string | null;
  /** Also list the contents of subfolders. */
  recursive?: boolean | null;
};

/** As browsers answer `/json/list`. */
export type Listed = {
  id: string;
  title: string;
  type: string;
  url: string;
  webSocketDebuggerUrl: string;
};

/** Arguments of `look`, all optional. */
export type Look = {
  /** Maximum number of characters. Default 12000. */
  maxChars?: number | null;
  /** Reference of an element to show in full. Default: the page. */
  ref?: string | null;
  /** Also return a screenshot. */
  screenshot?: boolean | null;
  timeoutMs?: number | null;
};

/** How a part was lost. */
export type Loss = "ended" | "hung";

/** A message for the agent. */
export type Message = {
  text: string;
};

/** A model that tasks may use. */
export type ModelInfo = {
  baseUrl?: string | null;
  contextWindow?: number | null;
  /** Whether tasks that name no model use this one. */
  default: boolean;
  /** Whether it has a key; local servers want none. */
  hasKey: boolean;
  kind: ModelKind;
  model: string;
  name: string;
  smallModel?: string | null;
  source: ModelSource;
};

/** How a model is spoken to. */
export type ModelKind = "anthropic" | "openai";

/** A model as a caller sets it. What is left out is as if it had never been set, but for the key. */
export type ModelSettings = {
  /** Goes to the keyring and is never returned. Without it the key stays as long as the address does; empty removes it. */
  apiKey?: string | null;
  /** The provider's base address; without it, that of Anthropic or OpenAI. */
  baseUrl?: string | null;
  /** Tokens that a conversation may have; a careful guess without it. */
  contextWindow?: number | null;
  /** Whether tasks that name no model use this one; then no other is the default. */
  default?: boolean;
  kind: ModelKind;
  /** As the provider names it. */
  model: string;
  /** A cheaper one at the same address, for summaries and the like. */
  smallModel?: string | null;
};

export type ModelSource = "settings" | "environment";

/** What came of a short question to a model. */
export type ModelTest = {
  /** The provider's own words. */
  error?: string | null;
  latencyMs: number;
  ok: boolean;
};

export type Move = {
  from: string;
  to: string;
};

/** Arguments of `navigate`: the address alone, or with options. */
export type Navigate = string | Address;

export type NavigateRequest = {
  url: string;
};

/** Where browser and commands may go. */
export type NetworkConfig = {
  /** Host patterns: `example.org`, `*.example.org`, an address, or a CIDR; optionally `:port`. */
  allow?: Array<string>;
  /** Private destinations that are open all the same, as in `allow`: `127.0.0.1:8888`. */
  allowPrivate?: Array<string>;
  deny?: Array<string>;
  mode?: NetworkMode;
};

/** A destination was refused by the network policy, or could not be reached. */
export type NetworkDenied = {
  /** As the program spelled it, if it could not be read as a host. */
  host: string;
  /** 0 if the request did not get as far as a port. */
  port: number;
  reason: string;
};

/** A destination was refused by the network policy, or could not be reached. */
export type NetworkDeniedEvent = EventEnvelope & {
  data: NetworkDenied;
  type: "sandbox.network.denied";
};

/** A destination that a sandbox reached or wanted to reach, with what went there. Built-in sites are none. */
export type NetworkDestination = {
  by: NetworkUser;
  connections: number;
  firstAt: number;
  /** A name or an address; `*` sums up what came after the first 1000 of a user. */
  host: string;
  lastAt: number;
  /** 0 with the host `*`. */
  port: number;
  /** Bytes that came from there. */
  receivedBytes: number;
  /** How often it was refused. */
  refused: number;
  /** Bytes that went there, of all protocols above TCP. */
  sentBytes: number;
};

export type NetworkMode = "open" | "allowlist" | "ask" | "none";

/** Which side of a sandbox uses the network. */
export type NetworkUser = "browser" | "commands";

export type NewCheckpoint = {
  /** A name for people to find it by, of at most 200 characters. */
  label?: string | null;
};

/** A new entry. */
export type NewCredential = {
  /** Of a secret: the hosts that it is for, as in `network.allow`. A command gets it in a sandbox that reaches no other. */
  hosts?: Array<string>;
  kind: CredentialKind;
  /** Default for a login: its site. Of a secret: letters, digits and underscores, the first a letter. */
  name?: string | null;
  /** Of a login: recovery codes and the like, for the person alone. */
  note?: string | null;
  password?: string | null;
  /** Default `ask`. */
  rule?: CredentialRule;
  /**
   * Of a login: a host, `*.` and a host for its subdomains also, or an origin. A host alone means HTTPS; an IP address,
   * `localhost` and reserved names such as `portal.example` also mean HTTP.
   */
  site?: string | null;
  /** Base32, or an `otpauth://` address. */
  totp?: string | null;
  /** A picture of the QR code for one-time codes, in place of `totp`: PNG or JPEG, in base64. */
  totpPicture?: string | null;
  username?: string | null;
  /** Of a secret. */
  value?: string | null;
};

export type NewDemo = {
  viewport?: Viewport | null;
};

/** Arguments of `newTab`. The new tab becomes the active tab. */
export type NewTab = {
  timeoutMs?: number | null;
  /** Address to open. Opens a blank page if omitted. */
  url?: string | null;
};

/** What a caller asks for: an address that is told about events. */
export type NewWebhook = {
  /** Whether the address may be this machine or a private one. */
  allowPrivate?: boolean;
  description?: string | null;
  /** Types of events, such as `sandbox.handoff.requested` or `sandbox.handoff.*`; every type if empty. */
  eventTypes?: Array<string>;
  /** `https://…`, or `http://…`. */
  url: string;
};

/** Arguments of `note`. */
export type Note = {
  /** The message for the person, in one or two sentences. */
  text: string;
};

export type PageName = {
  title: string;
  url: string;
};

export type Passphrase = {
  passphrase: string;
};

/** A password manager that Baton can fill sign-ins from, by its command line program. */
export type PasswordManager = {
  /** Why it is not ready, and what helps. */
  detail?: string | null;
  /** How many of its sign-ins are among the credentials: one for each site of each item. */
  entries: number;
  listedAt?: number | null;
  /** What people call it: `1Password`. */
  name: string;
  source: CredentialSource;
  state: PasswordManagerState;
};

/** Connects a password manager, or lists its sign-ins again. */
export type PasswordManagerConnect = {
  /**
   * The master password, for a program that unlocks with one (Bitwarden). It is given to the program and forgotten; what
   * the program answers opens it until the runtime ends.
   */
  passphrase?: string | null;
};

/** Whether the sign-ins of a password manager can be filled in. */
export type PasswordManagerState = "absent" | "off" | "locked" | "ready";

/** How a sandbox is paused, and since when. */
export type Paused = {
  at: number;
  by: PausedBy;
};

/** What keeps a paused sandbox from running. */
export type PausedBy = "cgroup2" | "signals" | "engine" | "stopped";

/** Arguments of an action that needs none. */
export type Plain = {
  /** Time limit in milliseconds. */
  timeoutMs?: number | null;
};

/** A playbook to check. */
export type PlaybookCheck = {
  /** Values for its `params`. */
  params?: Record<string, string>;
  /** The playbook as YAML text. */
  playbook: string;
};

export type PortRequest = {
  /** For how long the port is open: 1,000 to 86,400,000; 3,600,000 without it. */
  ttlMs?: number | null;
};

/** Arguments of `press`: the key alone, or with options. */
export type Press = string | PressKey;

/** Arguments of `press`: one key, with its modifiers first, such as `Enter` or `Control+A`. */
export type PressKey = {
  /** A key, with its modifiers first, such as `Enter` or `Control+A`. */
  key: string;
  on?: Target | null;
  timeoutMs?: number | null;
};

/** The live browser, as programs see it. While a person holds control `blind` is true and `url`, `title`, `tabs` are empty. */
export type Preview = {
  blind: boolean;
  controlMode: ControlMode;
  controller?: string | null;
  debuggingPort?: DebuggingPort | null;
  status: PreviewStatus;
  tabs: Array<Tab>;
  title: string;
  updatedAt: number;
  url: string;
  /** How many live views are connected. */
  viewers: number;
  viewport: Viewport;
};

export type PreviewStatus = "off" | "starting" | "ready" | "failed";

/** What would be done: exactly what a person is shown, and what the hash of an approval is of. */
export type Proposal = {
  amount?: Amount | null;
  /** The true address that it goes to. */
  destination: string;
  fields: Array<ShownField>;
  kind: ActKind;
  /** `GET`, `POST`, …; absent where the page does not say. */
  method?: string | null;
  /** The site that the page belongs to, or that the task comes from. */
  site: string;
  /** The action in words: `click button "Pay now"`. */
  summary: string;
};

export type Purpose = "interface" | "viewer";

/** Arguments of `read`. */
export type ReadFile = {
  /** First line to read. Lines count from 1. */
  fromLine?: number | null;
  /** Number of lines to read. Default 400. */
  lines?: number | null;
  /** Path in the workspace. */
  path: string;
};

/** What changed while a person held control. Names only, never values. */
export type Receipt = {
  after: PageName;
  before: PageName;
  /** Labels or names of fields that the person typed in. */
  fieldsTouched: Array<string>;
  /** Names of fields that still hold what the person typed: their documents are closed to programs. */
  fieldsVeiled?: Array<string>;
  /** Workspace paths. */
  filesArrived: Array<string>;
  heldMs: number;
  /** Number of clicks, keys and pastes. */
  inputs: number;
  note?: string | null;
  /** Sites whose sign-in state changed. */
  signedInChanged: Array<string>;
  tabsClosed: Array<string>;
  tabsOpened: Array<string>;
  /** Whether `until` was met when control was handed back. Absent if there was no condition. */
  untilMet?: boolean | null;
};

/** The time that a recording shows. */
export type RecordedSpan = {
  endedAt: number;
  gaps: Array<RecordingGap>;
  /** The time of its first picture. */
  startedAt: number;
};

/** A recording of a sandbox's browser: video of the page, with the true times. */
export type Recording = {
  /** While recording: the time of the newest picture. */
  endedAt: number;
  gaps: Array<RecordingGap>;
  /** Whether it goes on. */
  growing?: boolean;
  /** Key of the finished artifact; the content can also be read while recording. */
  key: ArtifactKey;
  /** Bytes. */
  size: number;
  startedAt: number;
};

/** A time that a recording does not show: one plain picture stands for it. */
export type RecordingGap = {
  from: number;
  to: number;
  why: GapReason;
};

/** Every recording of a sandbox, oldest first. */
export type Recordings = {
  data: Array<Recording>;
};

/** A part that was lost was started again. */
export type Recovered = {
  cause: Loss;
  part: SandboxPart;
};

/** A part that was lost was started again. */
export type RecoveredEvent = EventEnvelope & {
  data: Recovered;
  type: "sandbox.recovered";
};

/** A token for the purpose of the ticket. */
export type Redeemed = {
  expiresAt?: number | null;
  mode?: ViewerMode | null;
  purpose: Purpose;
  sandboxId?: SandboxId | null;
  token: string;
};

/** What was removed. */
export type RemovedFile = {
  kind: FileKind;
  modifiedAt: number;
  path: string;
  /** Bytes. */
  size: number;
  /** Names it in the trash, where it went there. */
  trashId?: string | null;
};

export type RequestedBy = "agent" | "worker" | "sdk" | "dashboard";

/** One line of a person's rules. */
export type Rule = {
  effect: RuleEffect;
  kind?: ActKind | null;
  sandboxId?: SandboxId | null;
  /** `shop.example`, `*.example`, an address, or `*`; optionally `:port`. */
  site: string;
};

/** What a person wants to happen. The more specific rule counts; of equals the stricter one. */
export type RuleEffect = "allow" | "ask" | "hold";

/** A person's rules as a whole. */
export type Rules = {
  rules: Array<Rule>;
};

export type RuntimeInfo = {
  /** The data directory. */
  home: string;
  /** Path of the program `baton`, for clients that start it (`baton mcp`). Absent if it is not installed. */
  program?: string | null;
  version: string;
};

/** One job's container, as the contract shows it. */
export type Sandbox = {
  agent: AgentInfo;
  /** Questions that a person has not answered yet, oldest first. */
  approvals: Array<Approval>;
  backend: BackendKind;
  capabilities: Capabilities;
  createdAt: number;
  endedAt?: number | null;
  failure?: Failure | null;
  handoff: Handoff | null;
  id: SandboxId;
  limits: SandboxLimits;
  name: string;
  network: NetworkConfig;
  paused?: Paused | null;
  preview: Preview;
  readyAt?: number | null;
  status: SandboxStatus;
  updatedAt: number;
};

/** The rooms of a sandbox are being started. */
export type SandboxAssigned = Record<string, never>;

/** The rooms of a sandbox are being started. */
export type SandboxAssignedEvent = EventEnvelope & {
  data: SandboxAssigned;
  type: "sandbox.assigned";
};

/** What a caller asks for; everything optional. */
export type SandboxConfig = {
  backend?: BackendKind | null;
  capabilities?: Capabilities;
  /** Environment of commands, by name. Never reaches the desktop room. */
  env?: Record<string, string>;
  /** Id of a checkpoint, of any sandbox: the new one begins with its files, sign-ins and tabs. */
  fromCheckpoint?: string | null;
  limits?: Limits;
  name?: string | null;
  network?: NetworkConfig;
};

/** A sandbox was asked for. */
export type SandboxCreated = {
  name: string;
};

/** A sandbox was asked for. */
export type SandboxCreatedEvent = EventEnvelope & {
  data: SandboxCreated;
  type: "sandbox.created";
};

/** A sandbox ended. Without a code, somebody ended it. */
export type SandboxEnded = {
  /** `idle`: nobody used it for `limits.idleMs`. `interrupted`: the runtime stopped while it was under way. */
  code?: string | null;
  message?: string | null;
};

/** A sandbox ended. Without a code, somebody ended it. */
export type SandboxEndedEvent = EventEnvelope & {
  data: SandboxEnded;
  type: "sandbox.ended";
};

/** A sandbox cannot go on. */
export type SandboxFailed = {
  code: string;
  message: string;
};

/** A sandbox cannot go on. */
export type SandboxFailedEvent = EventEnvelope & {
  data: SandboxFailed;
  type: "sandbox.failed";
};

/** One job's container. */
export type SandboxId = string;

/** The limits of a sandbox: as they were asked for, and what is in force. */
export type SandboxLimits = {
  cpus?: number | null;
  diskMb?: number | null;
  idleMs?: number | null;
  inForce: LimitsInForce;
  memoryMb?: number | null;
  pids?: number | null;
};

/** A part of a sandbox that can end or hang by itself. */
export type SandboxPart = "shell" | "desktop" | "display" | "browser";

/** A sandbox is paused. */
export type SandboxPaused = {
  by: PausedBy;
};

/** A sandbox is paused. */
export type SandboxPausedEvent = EventEnvelope & {
  data: SandboxPaused;
  type: "sandbox.paused";
};

/** A sandbox takes work. */
export type SandboxReady = Record<string, never>;

/** A sandbox takes work. */
export type SandboxReadyEvent = EventEnvelope & {
  data: SandboxReady;
  type: "sandbox.ready";
};

/** A paused sandbox goes on. */
export type SandboxResumed = Record<string, never>;

/** A paused sandbox goes on. */
export type SandboxResumedEvent = EventEnvelope & {
  data: SandboxResumed;
  type: "sandbox.resumed";
};

export type SandboxStatus = "queued" | "assigning" | "ready" | "active" | "pausing" | "paused" | "ending" | "ended" | "failed";

export type Save = {
  /** Name of the artifact. Default: the file's own name. */
  name?: string | null;
  /** Path of a file in the workspace, of at most 2 GiB, or of a folder: it is packed as a zip. */
  path: string;
};

/** Arguments of `artifact`. */
export type SaveArtifact = {
  /** Name of the artifact. Default: the file's own name. */
  name?: string | null;
  /** Path of a file in the workspace, or of a folder: it is packed as a zip. */
  path: string;
};

/** The sandbox's screen, in pixels; the page sits below the browser's own bars. */
export type Screen = {
  height: number;
  width: number;
};

/**
 * Arguments of `scroll`. With a target and no distance, scrolls the target into view; with a distance, scrolls the target.
 * Without a target, scrolls the page.
 */
export type Scroll = {
  /** Distance to the right, in CSS pixels. */
  dx?: number | null;
  /** Distance down, in CSS pixels. */
  dy?: number | null;
  /** Label of a form field. */
  label?: string | null;
  /** Accessible name, or a part of it. */
  name?: string | null;
  placeholder?: string | null;
  /** Reference from the latest look, such as `e12`. This is the most reliable way to name an element. */
  ref?: string | null;
  /** Accessible role, such as `button`. */
  role?: string | null;
  /** CSS selector. */
  selector?: string | null;
  /** Value of `data-testid`. */
  testId?: string | null;
  /** Visible text of the element. */
  text?: string | null;
  /** How long to wait for the element, in milliseconds. Default 10000. */
  timeoutMs?: number | null;
  to?: ScrollEnd | null;
};

export type ScrollEnd = "top" | "bottom";

/** Arguments of `search`. */
export type SearchFiles = {
  /** Folder in the workspace to search. Default: the whole workspace. */
  path?: string | null;
  /** Text to search for. Case is ignored. */
  text: string;
};

/** Asks for a new secret. */
export type SecretRotation = {
  /** How long the secret before signs beside the new one: a day without it, at most a week; 0 ends it at once. */
  overlapMs?: number | null;
};

/** Arguments of `select`: the option whose value or label is `value`. */
export type Select = {
  /** Label of a form field. */
  label?: string | null;
  /** Accessible name, or a part of it. */
  name?: string | null;
  placeholder?: string | null;
  /** Reference from the latest look, such as `e12`. This is the most reliable way to name an element. */
  ref?: string | null;
  /** Accessible role, such as `button`. */
  role?: string | null;
  /** CSS selector. */
  selector?: string | null;
  /** Value of `data-testid`. */
  testId?: string | null;
  /** How long to wait for the element, in milliseconds. Default 10000. */
  timeoutMs?: number | null;
  /** Value or label of the option. */
  value?: string;
};

/** A field of a form or a request, as a person is shown it. */
export type ShownField = {
  masked: boolean;
  name: string;
  /** Shortened where it is long; dots where it is secret. */
  value: string;
};

/** Arguments of `signIn`, all optional. The vault's entry is chosen by the page's own origin. */
export type SignIn = {
  /** Site of the entry, such as `portal.example`. Default: the page's. Nothing is filled in on a page of another site. */
  site?: string | null;
  /** Time limit in milliseconds. Default 45000. */
  timeoutMs?: number | null;
  /** User name, if the vault has several for the site. */
  username?: string | null;
};

/** The answer to an offer to keep a sign-in. */
export type SignInAnswer = {
  decision: KeepDecision;
  rule?: CredentialRule | null;
};

/** What came of an answer. */
export type SignInAnswered = {
  credential?: Credential | null;
  /** What is still open. */
  offers: Array<SignInOffer>;
};

/** An offer to keep a sign-in that a person typed. Until they answer, its password is only in the runtime's memory. */
export type SignInOffer = {
  /** When the question and the password are forgotten. */
  expiresAt: number;
  offerId: SignInOfferId;
  /** As a new entry would name it: exactly where it was typed. */
  site: string;
  updates?: CredentialId | null;
  username?: string | null;
};

/** An offer to keep a sign-in that a person typed. */
export type SignInOfferId = string;

/** The open offers of one sandbox. */
export type SignInOffers = {
  data: Array<SignInOffer>;
};

/** A line of a file that was not saved. */
export type SkippedLine = {
  /** As an editor counts it, from 1. */
  line: number;
  why: string;
};

export type Started = {
  taskId: TaskId;
};

/** What one answer of a model cost. */
export type StepUsage = {
  /** Input tokens that the provider had cached. */
  cachedTokens: number;
  costUsd?: number | null;
  inputTokens: number;
  outputTokens: number;
};

export type StorageCapability = {
  /** Refused in this version: an artifact's key is made by the runtime. */
  artifactPrefix?: string | null;
};

export type Tab = {
  active: boolean;
  id: string;
  title: string;
  url: string;
};

/** Arguments of `activateTab` and `closeTab`: one of `id` and `url`. */
export type TabChoice = {
  /** Id of the tab, as listed by `tabs` and by every look. */
  id?: string | null;
  timeoutMs?: number | null;
  /** Address pattern of the tab; the first that matches is taken. `*` matches within one path segment, `**` across segments. */
  url?: string | null;
};

/** Arguments of `checkpoint`. */
export type TakeCheckpoint = {
  /** A name for people to find it by. */
  label?: string | null;
};

/** The element that an action targets. Every field that is set must match. */
export type Target = {
  /** Label of a form field. */
  label?: string | null;
  /** Accessible name. An exact match is preferred; a partial match is enough. Case is ignored. */
  name?: string | null;
  placeholder?: string | null;
  /** Reference from the latest look. References from earlier looks are refused. */
  ref?: string | null;
  /** Accessible role, such as `button`, `link`, `textbox`. */
  role?: string | null;
  /** CSS selector. */
  selector?: string | null;
  /** Value of `data-testid`. */
  testId?: string | null;
  /** Visible text. */
  text?: string | null;
};

export type Task = {
  createdAt: number;
  endedAt?: number | null;
  error?: Failure | null;
  id: TaskId;
  metadata: Record<string, unknown>;
  playbook?: string | null;
  prompt?: string | null;
  result?: string | null;
  sandboxId: SandboxId;
  startedAt?: number | null;
  status: TaskStatus;
  /** The playbook's name or the beginning of the prompt, for lists. */
  title: string;
  usage: Usage;
};

/** A task was stopped. */
export type TaskCancelled = {
  error?: Failure | null;
  /** Always null; `sandbox.agent.task.completed` fills it. */
  result?: string | null;
  title: string;
};

/** A task was stopped. */
export type TaskCancelledEvent = EventEnvelope & {
  data: TaskCancelled;
  type: "sandbox.agent.task.cancelled";
};

/** A task is done. */
export type TaskCompleted = {
  error?: Failure | null;
  result?: string | null;
  title: string;
};

/** A task is done. */
export type TaskCompletedEvent = EventEnvelope & {
  data: TaskCompleted;
  type: "sandbox.agent.task.completed";
};

/** A task could not be done. */
export type TaskFailed = {
  error?: Failure | null;
  /** Always null; `sandbox.agent.task.completed` fills it. */
  result?: string | null;
  title: string;
};

/** A task could not be done. */
export type TaskFailedEvent = EventEnvelope & {
  data: TaskFailed;
  type: "sandbox.agent.task.failed";
};

/** One request to the agent, or one playbook run. */
export type TaskId = string;

export type TaskLimits = {
  steps?: number | null;
  /** The clock stands still while a person is asked or drives. */
  timeMs?: number | null;
  tokens?: number | null;
};

/** A task waits for its sandbox. */
export type TaskQueued = Record<string, never>;

/** A task waits for its sandbox. */
export type TaskQueuedEvent = EventEnvelope & {
  data: TaskQueued;
  type: "sandbox.agent.task.queued";
};

/** What a caller asks of the agent: a `prompt`, or a `playbook` (YAML text). */
export type TaskRequest = {
  limits?: TaskLimits;
  metadata?: Record<string, unknown>;
  model?: string | null;
  /** Values for the playbook's `params`. */
  params?: Record<string, string>;
  playbook?: string | null;
  prompt?: string | null;
};

/** A task began, or goes on after a restart. */
export type TaskStarted = {
  limits: TaskLimits;
  title: string;
};

/** A task began, or goes on after a restart. */
export type TaskStartedEvent = EventEnvelope & {
  data: TaskStarted;
  type: "sandbox.agent.task.started";
};

export type TaskStatus = "queued" | "running" | "waiting" | "completed" | "failed" | "cancelled";

/** A terminal that is kept with its sandbox. */
export type Terminal = {
  name: string;
  startedAt: number;
  /** How many pages show it now. */
  viewers: number;
};

export type Ticket = {
  ticket: string;
};

/** To the live view. */
export type ToViewer = {
  mode: ViewerMode;
  screen: Screen;
  transport: string;
  type: "welcome";
  viewerId: ViewerId;
} | {
  clockUs: number;
  lapsesAt?: number | null;
  sentAt: number;
  type: "pong";
} | {
  screen: Screen;
  type: "screen";
} | {
  control: ControlView;
  type: "control";
} | {
  code: string;
  message: string;
  type: "denied";
} | {
  text: string;
  type: "clipboard";
} | {
  inPage: boolean;
  type: "composing";
} | {
  cursor: string;
  type: "cursor";
} | {
  aim: Aim;
  type: "aim";
} | {
  reason: string;
  type: "ended";
};

/** A step as it is written in a playbook, `{ "click": { "role": "link" } }`, without what is typed, written or run. */
export type ToldStep = Record<string, unknown>;

/** A deletion that can be undone. */
export type TrashedFile = {
  deletedAt: number;
  kind: FileKind;
  /** Where it was. */
  path: string;
  /** Bytes. */
  size: number;
  trashId: string;
};

/** Arguments of `type`. `text` replaces the field's content. */
export type Type = {
  /** Label of a form field. */
  label?: string | null;
  /** Accessible name, or a part of it. */
  name?: string | null;
  placeholder?: string | null;
  /** Reference from the latest look, such as `e12`. This is the most reliable way to name an element. */
  ref?: string | null;
  /** Accessible role, such as `button`. */
  role?: string | null;
  /** CSS selector. */
  selector?: string | null;
  /** Value of `data-testid`. */
  testId?: string | null;
  /** The new content of the field. Empty clears it. */
  text?: string;
  /** How long to wait for the element, in milliseconds. Default 10000. */
  timeoutMs?: number | null;
};

/** What becomes at the hand-back of what a person typed and is still on the page. */
export type TypedText = "veiled" | "cleared" | "revealed";

/** An event of a type that this document does not describe. */
export type UnknownEvent = EventEnvelope & {
  data: unknown;
  type: string;
};

/** When a handoff counts as done. Every field that is set must match. */
export type Until = {
  /** Name of a cookie that must be set. */
  cookie?: string | null;
  selector?: string | null;
  /** Address pattern. `*` matches within one path segment, `**` across segments. */
  url?: string | null;
};

/** Arguments of `upload`: `path` is a file of the workspace. */
export type Upload = {
  /** Label of a form field. */
  label?: string | null;
  /** Accessible name, or a part of it. */
  name?: string | null;
  /** Path in the workspace. */
  path?: string;
  placeholder?: string | null;
  /** Reference from the latest look, such as `e12`. This is the most reliable way to name an element. */
  ref?: string | null;
  /** Accessible role, such as `button`. */
  role?: string | null;
  /** CSS selector. */
  selector?: string | null;
  /** Value of `data-testid`. */
  testId?: string | null;
  /** How long to wait for the element, in milliseconds. Default 10000. */
  timeoutMs?: number | null;
};

export type UrlRequest = {
  /** For how long the addresses can be connected to: 1,000 to 86,400,000; 3,600,000 without it. */
  ttlMs?: number | null;
};

export type Usage = {
  costUsd?: number | null;
  inputTokens: number;
  outputTokens: number;
  steps: number;
};

export type Verdict = "approve" | "deny";

/** As browsers answer `/json/version`. */
export type Version = {
  Browser: string;
  "Protocol-Version": string;
  "User-Agent": string;
  "V8-Version": string;
  webSocketDebuggerUrl: string;
};

/** One connected live view. */
export type ViewerId = string;

export type ViewerLink = {
  expiresAt: number;
  url: string;
};

export type ViewerMode = "watch" | "control";

/** The page's size in CSS pixels: 320..=3840 by 240..=2160. */
export type Viewport = {
  height: number;
  width: number;
};

export type WaitFor = "ready";

/** An address that is told about events. Its secret is shown when it is made, and never again. */
export type Webhook = {
  allowPrivate: boolean;
  createdAt: number;
  description: string;
  /** Why it is not enabled, where that was not asked for. */
  disabledReason?: string | null;
  enabled: boolean;
  /** Every type if empty. */
  eventTypes: Array<string>;
  id: WebhookId;
  previousSecretExpiresAt?: number | null;
  updatedAt: number;
  url: string;
};

/** An address that is told about events. */
export type WebhookId = string;

/** What is to change; whatever is absent stays. */
export type WebhookPatch = {
  allowPrivate?: boolean | null;
  description?: string | null;
  enabled?: boolean | null;
  eventTypes?: Array<string> | null;
  url?: string | null;
};

/** A webhook and its new secret. */
export type WebhookSecret = Webhook & {
  /**
   * `whsec_…`, as libraries of Standard Webhooks take it. Shown here only: the answer that is repeated for an
   * `Idempotency-Key` is without it.
   */
  signingSecret?: string | null;
};

/** What is filled in. */
export type WithCredential = {
  /** A login of the vault. */
  credentialId: CredentialId;
};

/** A line for the agent. */
export type WithNote = {
  note?: string | null;
};

/** Everything an agent can do outside the browser. */
export type Work = {
  /** Runs a program in the sandbox, in the workspace folder. It runs directly, without a shell. */
  exec: ExecRequest;
} | {
  /** Runs code in the sandbox, in the workspace folder, and returns its output. */
  code: CodeRequest;
} | {
  /** Reads a text file in the workspace. */
  read: ReadFile;
} | {
  /** Writes a file in the workspace. Replaces an existing file. */
  write: WriteFile;
} | {
  /** Lists a folder in the workspace. */
  list: ListFolder;
} | {
  /** Searches for text in the names and contents of files in the workspace. */
  search: SearchFiles;
} | {
  /** Converts a document in the workspace, such as Markdown, HTML or an office file to PDF, or a PDF to text. */
  convert: ConvertFile;
} | {
  /** Saves a workspace file as an artifact that is kept after the sandbox ends. */
  artifact: SaveArtifact;
} | {
  /** Asks a person to do something in the browser, such as signing in, and waits until they hand control back. */
  handoff: HandoffRequest;
} | {
  /** Sends the person a message. Does not wait for an answer. */
  note: Note;
} | {
  /** Ends the task with its result. No other action follows. */
  done: Finish;
};

/** Arguments of `write`: the file of the workspace is replaced by `content`. */
export type WriteFile = {
  /** The whole content of the file. */
  content: string;
  /** Path in the workspace. Missing folders are created. */
  path: string;
};

export type Written = {
  path: string;
  size: number;
};

/** Every route: its method and its path after `/v1`, what it takes, and what it answers where that is JSON. */
export interface Routes {
  /** Lists approval requests of all sandboxes, newest first. */
  "GET /approvals": {
    query?: {
      status?: ApprovalStatus;
      sandboxId?: string;
      limit?: number;
      cursor?: string;
    };
    answer: ListPage<Approval>;
  };
  /** Answers a question: once, or with a scope for the rest of the task. What is not as it was shown any more is void (409). */
  "POST /approvals/{approvalId}": {
    path: {
      approvalId: string;
    };
    json: ApprovalDecision;
    answer: Approval;
  };
  /** Lists the artifacts of all sandboxes, newest first. */
  "GET /artifacts": {
    query?: {
      /** Text to search for in the name. */
      q?: string;
      sandboxId?: string;
      limit?: number;
      cursor?: string;
    };
    answer: ListPage<Artifact>;
  };
  /** Deletes an artifact and returns its record. */
  "DELETE /artifacts/{key}": {
    path: {
      key: string;
    };
    answer: Artifact;
  };
  /** Returns the content of an artifact, or the part that `Range` asks for. Needs the token or a ticket. */
  "GET /artifacts/{key}/content": {
    path: {
      key: string;
    };
    query?: {
      /** The ticket from `url`, instead of the token. */
      ticket?: string;
    };
  };
  /** Returns an address of the content that needs no token and expires. */
  "GET /artifacts/{key}/url": {
    path: {
      key: string;
    };
    query?: {
      /** How long the address works, in milliseconds: 1,000 to 86,400,000. Default 900,000. */
      ttlMs?: number;
    };
    answer: Link;
  };
  /** The browser, over the debugging protocol, by an address from `cdp-url`. */
  "GET /cdp/{ticket}": {
    path: {
      ticket: string;
    };
  };
  /** One page, over the debugging protocol, by an address from `cdp-url`. */
  "GET /cdp/{ticket}/devtools/page/{tabId}": {
    path: {
      ticket: string;
      tabId: string;
    };
  };
  /** As `/json/list`. */
  "GET /cdp/{ticket}/json": {
    path: {
      ticket: string;
    };
    answer: Array<Listed>;
  };
  /** Lists the pages, by an address from `cdp-url`. */
  "GET /cdp/{ticket}/json/list": {
    path: {
      ticket: string;
    };
    answer: Array<Listed>;
  };
  /** Says where the debugging protocol is spoken, by an address from `cdp-url`. */
  "GET /cdp/{ticket}/json/version": {
    path: {
      ticket: string;
    };
    answer: Version;
  };
  /** As without the slash; some clients ask so. */
  "GET /cdp/{ticket}/json/version/": {
    path: {
      ticket: string;
    };
    answer: Version;
  };
  /** Lists the entries of the vault, newest first. */
  "GET /credentials": {
    query?: {
      /** 1 to 200; 50 without it. */
      limit?: number;
      /** `nextCursor` of the page before. */
      cursor?: string;
    };
    answer: ListPage<Credential>;
  };
  /** Saves a sign-in or a secret. Its values go to the keyring, or to the encrypted key file, and are never returned. */
  "POST /credentials": {
    json: NewCredential;
    answer: Credential;
  };
  /** Saves the sign-ins of a CSV file, as browsers and password managers export them. Entries that are there already stay. */
  "POST /credentials/import": {
    json: CredentialImport;
    answer: ImportedCredentials;
  };
  /** Returns an entry, without its values. */
  "GET /credentials/{credentialId}": {
    path: {
      credentialId: string;
    };
    answer: Credential;
  };
  /** Changes the fields in the body. An empty text removes a value. */
  "PATCH /credentials/{credentialId}": {
    path: {
      credentialId: string;
    };
    json: CredentialPatch;
    answer: Credential;
  };
  /** Deletes an entry and its values. The ledger of its uses is kept. */
  "DELETE /credentials/{credentialId}": {
    path: {
      credentialId: string;
    };
  };
  /** Lists every use of an entry, newest first: where it was filled in, and by which task. */
  "GET /credentials/{credentialId}/uses": {
    path: {
      credentialId: string;
    };
    query?: {
      /** 1 to 200; 50 without it. */
      limit?: number;
      /** `nextCursor` of the page before. */
      cursor?: string;
    };
    answer: ListPage<CredentialUse>;
  };
  /** Starts the guided first task in a new sandbox. */
  "POST /demo": {
    json: NewDemo;
    answer: Demo;
  };
  /** Checks this machine: what works, what is missing, and the command that fixes it. */
  "GET /doctor": {
    answer: Checks;
  };
  /** Follows events as server-sent events. A WebSocket request gets one event per message. */
  "GET /events": {
    query?: {
      sandboxId?: string;
      /** Event types, separated by commas. */
      types?: string;
      /** Start after the event with this id, like `Last-Event-ID`. Default: start with new events. */
      after?: string;
    };
  };
  /** Lists standing permissions and their use, newest first. */
  "GET /grants": {
    query?: {
      sandboxId?: string;
      taskId?: string;
      limit?: number;
      cursor?: string;
    };
    answer: ListPage<Grant>;
  };
  /** Revokes a standing permission at once. */
  "DELETE /grants/{grantId}": {
    path: {
      grantId: string;
    };
    answer: Grant;
  };
  /** Lists the handoffs of all sandboxes, newest first. */
  "GET /handoffs": {
    query?: {
      status?: HandoffStatus;
      sandboxId?: string;
      limit?: number;
      cursor?: string;
    };
    answer: ListPage<Handoff>;
  };
  /** Reports that the runtime is alive. Needs no token. */
  "GET /health": {
    answer: Health;
  };
  /** Reports where keys are stored: in the system's keyring, or in an encrypted file that may need its passphrase. */
  "GET /keys": {
    answer: KeyStorage;
  };
  /** Unlocks the encrypted key file until the runtime ends, or creates one with this passphrase. */
  "POST /keys/unlock": {
    json: Passphrase;
    answer: KeyStorage;
  };
  /** Streams messages of the MCP server as server-sent events. */
  "GET /mcp": {
  };
  /** Takes one message of an MCP client. Answers as JSON or as server-sent events. */
  "POST /mcp": {
    json: unknown;
    answer: unknown;
  };
  /** Ends the session that the header `Mcp-Session-Id` names. */
  "DELETE /mcp": {
  };
  /** Lists the models that tasks can use, by name: models that were set, and models from the runtime's environment. */
  "GET /models": {
    answer: ListPage<ModelInfo>;
  };
  /** Returns one model. */
  "GET /models/{name}": {
    path: {
      name: string;
    };
    answer: ModelInfo;
  };
  /** Adds or changes a model. The key is stored in the keyring. Without a key, the old one is kept if kind and address stay the same. */
  "PUT /models/{name}": {
    path: {
      name: string;
    };
    json: ModelSettings;
    answer: ModelInfo;
  };
  /** Deletes a model and its key. */
  "DELETE /models/{name}": {
    path: {
      name: string;
    };
  };
  /** Asks the model for one word. If it fails, the answer is 200 with `ok: false` and the provider's message. */
  "POST /models/{name}/test": {
    path: {
      name: string;
    };
    answer: ModelTest;
  };
  /** Returns this document. */
  "GET /openapi.json": {
    answer: unknown;
  };
  /** Lists the password managers that Baton can fill sign-ins from, and whether each is on this machine, connected and open. */
  "GET /password-managers": {
    answer: ListPage<PasswordManager>;
  };
  /**
   * Connects a password manager, or lists its sign-ins again. They stand among the credentials, without values: a value is
   * fetched from the password manager each time it is filled in.
   */
  "POST /password-managers/{source}": {
    path: {
      /** `1password` or `bitwarden` */
      source: string;
    };
    json: PasswordManagerConnect;
    answer: PasswordManager;
  };
  /** Forgets what was listed of a password manager, and what opened it. Nothing changes in the password manager itself. */
  "DELETE /password-managers/{source}": {
    path: {
      /** `1password` or `bitwarden` */
      source: string;
    };
  };
  /** Returns a picture of the page after a step of the agent: `picture` of its `sandbox.agent.action` event. */
  "GET /pictures/{picture}": {
    path: {
      /** SHA-256 of its content, in hexadecimal digits */
      picture: string;
    };
  };
  /**
   * Checks a playbook and its parameters without running it. A refusal is the one that starting a task would give:
   * `details` has line and column.
   */
  "POST /playbooks/check": {
    json: PlaybookCheck;
    answer: CheckedPlaybook;
  };
  /** Returns the rules. */
  "GET /rules": {
    answer: Rules;
  };
  /** Replaces all rules. The new rules apply when this returns. */
  "PUT /rules": {
    json: Rules;
    answer: Rules;
  };
  /** Returns the version of the runtime and its data directory. */
  "GET /runtime": {
    answer: RuntimeInfo;
  };
  /** Lists sandboxes, newest first. */
  "GET /sandboxes": {
    query?: {
      status?: SandboxStatus;
      limit?: number;
      cursor?: string;
    };
    answer: ListPage<Sandbox>;
  };
  /** Creates a sandbox. Returns at once. `GET /v1/sandboxes/{id}?waitFor=ready` waits until it is ready. */
  "POST /sandboxes": {
    json: SandboxConfig;
    answer: Sandbox;
  };
  /** Returns one sandbox, at once or when it is ready. */
  "GET /sandboxes/{id}": {
    path: {
      id: string;
    };
    query?: {
      /** Wait until this status is reached. Answers 408 `timeout` if it takes longer than `timeoutMs`. */
      waitFor?: WaitFor;
      /** How long to wait, in milliseconds. Default 60,000. */
      timeoutMs?: number;
    };
    answer: Sandbox;
  };
  /**
   * Ends a sandbox. Its artifacts and history are kept. With `forget`, its files, artifacts, pictures and history are also
   * deleted once it has ended. This cannot be undone.
   */
  "DELETE /sandboxes/{id}": {
    path: {
      id: string;
    };
    query?: {
      /** Also delete its files, artifacts, pictures and history. */
      forget?: boolean;
    };
    answer: Ended;
  };
  /** Lists the artifacts of a sandbox, newest first. */
  "GET /sandboxes/{id}/artifacts": {
    path: {
      id: string;
    };
    query?: {
      /** 1 to 200; 50 without it. */
      limit?: number;
      /** `nextCursor` of the page before. */
      cursor?: string;
    };
    answer: ListPage<Artifact>;
  };
  /** Saves a workspace file, or a folder as a zip, as an artifact that is kept after the sandbox ends. */
  "POST /sandboxes/{id}/artifacts": {
    path: {
      id: string;
    };
    json: Save;
    answer: Artifact;
  };
  /** The browser, over the debugging protocol. */
  "GET /sandboxes/{id}/cdp": {
    path: {
      id: string;
    };
  };
  /** Opens a loopback port that speaks the debugging protocol as a browser does. One at a time; it ends with the sandbox. */
  "POST /sandboxes/{id}/cdp-port": {
    path: {
      id: string;
    };
    json: PortRequest;
    answer: DebuggingPort;
  };
  /** Closes the port, and ends what is connected by it. Fine without one. */
  "DELETE /sandboxes/{id}/cdp-port": {
    path: {
      id: string;
    };
  };
  /** Makes addresses for clients that send no headers. They end with the sandbox. */
  "POST /sandboxes/{id}/cdp-url": {
    path: {
      id: string;
    };
    json: UrlRequest;
    answer: DebuggingUrl;
  };
  /** One page, over the debugging protocol. */
  "GET /sandboxes/{id}/cdp/devtools/page/{tabId}": {
    path: {
      id: string;
      tabId: string;
    };
  };
  /** As `/json/list`. */
  "GET /sandboxes/{id}/cdp/json": {
    path: {
      id: string;
    };
    answer: Array<Listed>;
  };
  /** Lists the pages; refused while a person holds control. */
  "GET /sandboxes/{id}/cdp/json/list": {
    path: {
      id: string;
    };
    answer: Array<Listed>;
  };
  /** Says where the debugging protocol is spoken. */
  "GET /sandboxes/{id}/cdp/json/version": {
    path: {
      id: string;
    };
    answer: Version;
  };
  /** As without the slash; some clients ask so. */
  "GET /sandboxes/{id}/cdp/json/version/": {
    path: {
      id: string;
    };
    answer: Version;
  };
  /** Lists the checkpoints of a sandbox, newest first. */
  "GET /sandboxes/{id}/checkpoints": {
    path: {
      id: string;
    };
    query?: {
      /** 1 to 200; 50 without it. */
      limit?: number;
      /** `nextCursor` of the page before. */
      cursor?: string;
    };
    answer: ListPage<Checkpoint>;
  };
  /**
   * Takes a checkpoint of a sandbox while it runs: its files, its browser's sign-ins and its open tabs. Refused while a person
   * holds control. Unchanged files take no room again.
   */
  "POST /sandboxes/{id}/checkpoints": {
    path: {
      id: string;
    };
    json: NewCheckpoint;
    answer: Checkpoint;
  };
  /** Deletes a checkpoint and returns its record. What no other checkpoint or artifact uses is freed. */
  "DELETE /sandboxes/{id}/checkpoints/{checkpointId}": {
    path: {
      id: string;
      checkpointId: string;
    };
    answer: Checkpoint;
  };
  /** Compares the files of a sandbox, as they are now, with those of a checkpoint. Changes nothing. */
  "GET /sandboxes/{id}/checkpoints/{checkpointId}/diff": {
    path: {
      id: string;
      checkpointId: string;
    };
    answer: CheckpointDiff;
  };
  /** Returns a file of the workspace as it was at a checkpoint. */
  "GET /sandboxes/{id}/checkpoints/{checkpointId}/file": {
    path: {
      id: string;
      checkpointId: string;
    };
    query: {
      /** Path in the workspace, of a file of at most 16 MiB. */
      path: string;
    };
  };
  /**
   * Makes a sandbox as it was. Its rooms start again, with the files, sign-ins and tabs of the checkpoint; wait with
   * `GET /v1/sandboxes/{id}?waitFor=ready`. Refused while something is under way in it. A checkpoint of how it is now is taken
   * first, so that this can be undone. Of a sandbox that has ended, the files come back.
   */
  "POST /sandboxes/{id}/checkpoints/{checkpointId}/restore": {
    path: {
      id: string;
      checkpointId: string;
    };
    answer: Sandbox;
  };
  /** Runs code. */
  "POST /sandboxes/{id}/code": {
    path: {
      id: string;
    };
    json: CodeRequest;
    answer: ExecResult;
  };
  /** Hands control back. */
  "POST /sandboxes/{id}/control/release": {
    path: {
      id: string;
    };
    json: HandBack;
    answer: Preview;
  };
  /** Takes control for a person, with or without a request. */
  "POST /sandboxes/{id}/control/take": {
    path: {
      id: string;
    };
    json: ByController;
    answer: Preview;
  };
  /**
   * Converts a document in the workspace. HTML, Markdown, office files, CSV and images become PDF; Markdown and HTML become DOCX
   * and come from it; a PDF becomes PNG, a file for each page, or text. Takes at most two minutes.
   */
  "POST /sandboxes/{id}/documents/convert": {
    path: {
      id: string;
    };
    json: ConvertFile;
    answer: Conversion;
  };
  /** Lists the events of a sandbox, oldest first. */
  "GET /sandboxes/{id}/events": {
    path: {
      id: string;
    };
    query?: {
      /** Event types, separated by commas. */
      types?: string;
      /** Only events after the event with this id. */
      after?: string;
      limit?: number;
      /** The same as `after`: `nextCursor` of the previous page. */
      cursor?: string;
    };
    answer: ListPage<Event>;
  };
  /** Runs a command directly, without a shell. A command that fails is still 200. Closing the connection kills it. */
  "POST /sandboxes/{id}/exec": {
    path: {
      id: string;
    };
    query?: {
      /** `1`: server-sent events `stdout` and `stderr` (`{ "data": text }`), then `exit` (the result) or `error`. */
      stream?: boolean;
    };
    json: ExecRequest;
    answer: ExecResult;
  };
  /**
   * Removes a file or an empty folder; with `recursive`, a folder with its contents. Returns the removed entry. Also of a
   * sandbox that is over.
   */
  "DELETE /sandboxes/{id}/fs": {
    path: {
      id: string;
    };
    query: {
      path: string;
      /** `1` or `true`: remove a folder with its contents. */
      recursive?: boolean;
      /** `1` or `true`: move it into the trash, from which it can be restored; a folder goes with its contents. */
      trash?: boolean;
    };
    answer: RemovedFile;
  };
  /** Lists a folder. */
  "GET /sandboxes/{id}/fs/list": {
    path: {
      id: string;
    };
    query?: {
      /** Default: the workspace root. */
      path?: string;
      /** `1` or `true`: also list the contents of subfolders. */
      recursive?: boolean;
    };
    answer: Entries;
  };
  /** Creates a folder and its parents. */
  "POST /sandboxes/{id}/fs/mkdir": {
    path: {
      id: string;
    };
    json: Folder;
    answer: FileEntry;
  };
  /** Moves or renames a file or folder. */
  "POST /sandboxes/{id}/fs/move": {
    path: {
      id: string;
    };
    json: Move;
    answer: FileEntry;
  };
  /** Returns the content of a file, or the part that `Range` asks for. */
  "GET /sandboxes/{id}/fs/read": {
    path: {
      id: string;
    };
    query: {
      /** Relative to `/workspace`, or starting with it. */
      path: string;
    };
  };
  /** Finds files by their path, and by what stands in them. Stops after ten seconds with what it has. */
  "GET /sandboxes/{id}/fs/search": {
    path: {
      id: string;
    };
    query: {
      /** Words that a path, or a line of a file, has; upper and lower case are the same. */
      q: string;
      /** The folder to look in. Default: the workspace root. */
      path?: string;
      /** `1` or `true`: also look into files. */
      content?: boolean;
      limit?: number;
    };
    answer: FileMatches;
  };
  /** Describes the entry at a path. */
  "GET /sandboxes/{id}/fs/stat": {
    path: {
      id: string;
    };
    query: {
      /** Relative to `/workspace`, or starting with it. */
      path: string;
    };
    answer: FileEntry;
  };
  /** Lists what a person deleted and can have back, newest first. */
  "GET /sandboxes/{id}/fs/trash": {
    path: {
      id: string;
    };
    answer: ListPage<TrashedFile>;
  };
  /** Deletes what is in the trash for good. */
  "DELETE /sandboxes/{id}/fs/trash": {
    path: {
      id: string;
    };
    answer: Emptied;
  };
  /** Restores a deletion to its old path; under a new name next to it if the path is in use. */
  "POST /sandboxes/{id}/fs/trash/{trashId}/restore": {
    path: {
      id: string;
      trashId: string;
    };
    answer: FileEntry;
  };
  /** Counts what the sandbox holds on the disk: files, trash and artifacts. Also of a sandbox that is over. */
  "GET /sandboxes/{id}/fs/usage": {
    path: {
      id: string;
    };
    answer: DiskUsage;
  };
  /**
   * Follows all changes in the workspace: `{"paths":[…],"more":false}` as server-sent events, or over a WebSocket.
   * With `more`, list the workspace again: some paths are left out. Changes from before the connection are not sent.
   */
  "GET /sandboxes/{id}/fs/watch": {
    path: {
      id: string;
    };
  };
  /** Writes a file. Creates parent folders. Readers see either the old or the new file. */
  "PUT /sandboxes/{id}/fs/write": {
    path: {
      id: string;
    };
    query: {
      /** Relative to `/workspace`, or starting with it. */
      path: string;
    };
    answer: Written;
  };
  /** Returns the current handoff of the sandbox, or the last one. */
  "GET /sandboxes/{id}/handoff": {
    path: {
      id: string;
    };
    answer: HandoffEnvelope;
  };
  /** Asks a person to do something. */
  "POST /sandboxes/{id}/handoff": {
    path: {
      id: string;
    };
    json: HandoffRequest;
    answer: HandoffEnvelope;
  };
  /** Accepts the pending request. The person holds control until it is completed or cancelled, or expires. */
  "POST /sandboxes/{id}/handoff/accept": {
    path: {
      id: string;
    };
    json: ByController;
    answer: HandoffEnvelope;
  };
  /** Cancels the handoff. */
  "POST /sandboxes/{id}/handoff/cancel": {
    path: {
      id: string;
    };
    json: WithNote;
    answer: HandoffEnvelope;
  };
  /** Completes the handoff. The agent continues with a fresh look at the page. */
  "POST /sandboxes/{id}/handoff/complete": {
    path: {
      id: string;
    };
    json: HandBack;
    answer: HandoffEnvelope;
  };
  /**
   * Fills in a sign-in of the vault for the person who was asked, and completes the handoff for them. Whatever its rule, the
   * request is their word; one that is set to `never` is not filled in. If it fails, the handoff stands.
   */
  "POST /sandboxes/{id}/handoff/sign-in": {
    path: {
      id: string;
    };
    json: WithCredential;
    answer: HandoffEnvelope;
  };
  /**
   * Lists where a sandbox went: the destinations that its browser and its commands reached or were refused, with connections
   * and bytes, the most bytes first. It stays after the sandbox has ended.
   */
  "GET /sandboxes/{id}/network": {
    path: {
      id: string;
    };
    answer: ListPage<NetworkDestination>;
  };
  /**
   * Freezes a sandbox: its processes stand still, its task's clocks stop, and it takes no work until it is resumed. Waits for
   * the action in flight. `paused.by` says what keeps it from running. Refused while a person holds control.
   */
  "POST /sandboxes/{id}/pause": {
    path: {
      id: string;
    };
    answer: Sandbox;
  };
  /** Returns what the browser shows and who has control. While a person holds control, page details are hidden. */
  "GET /sandboxes/{id}/preview": {
    path: {
      id: string;
    };
    answer: Preview;
  };
  /** Goes back in the active tab. */
  "POST /sandboxes/{id}/preview/back": {
    path: {
      id: string;
    };
    answer: Preview;
  };
  /** Goes forward in the active tab. */
  "POST /sandboxes/{id}/preview/forward": {
    path: {
      id: string;
    };
    answer: Preview;
  };
  /** Opens an address in the active tab. */
  "POST /sandboxes/{id}/preview/navigate": {
    path: {
      id: string;
    };
    json: NavigateRequest;
    answer: Preview;
  };
  /** Reloads the active tab. */
  "POST /sandboxes/{id}/preview/reload": {
    path: {
      id: string;
    };
    answer: Preview;
  };
  /** Changes the size of the page. */
  "POST /sandboxes/{id}/preview/resize": {
    path: {
      id: string;
    };
    json: Viewport;
    answer: Preview;
  };
  /** Takes a screenshot of the page. Refused while a person holds control. */
  "GET /sandboxes/{id}/preview/screenshot": {
    path: {
      id: string;
    };
  };
  /** Starts the browser if it is not running, with the tabs that it had if it was stopped because nobody used it. */
  "POST /sandboxes/{id}/preview/start": {
    path: {
      id: string;
    };
    answer: Preview;
  };
  /**
   * Stops the browser, and forgets its tabs. Cookies and other sign-ins stay, and it starts again when it is used. Refused while
   * a task is running.
   */
  "POST /sandboxes/{id}/preview/stop": {
    path: {
      id: string;
    };
    answer: Preview;
  };
  /** Closes a tab. */
  "DELETE /sandboxes/{id}/preview/tabs/{tabId}": {
    path: {
      id: string;
      tabId: string;
    };
    answer: Preview;
  };
  /** Activates a tab. */
  "POST /sandboxes/{id}/preview/tabs/{tabId}/activate": {
    path: {
      id: string;
      tabId: string;
    };
    answer: Preview;
  };
  /** Creates an address of the live view that any browser on this machine can open once. */
  "POST /sandboxes/{id}/preview/viewer-url": {
    path: {
      id: string;
    };
    json: LinkRequest;
    answer: ViewerLink;
  };
  /** Starts a task and returns when it has ended. If the connection is closed, the task continues. */
  "POST /sandboxes/{id}/prompt": {
    path: {
      id: string;
    };
    json: TaskRequest;
    answer: Task;
  };
  /**
   * Lists the recordings of a sandbox, oldest first: those that are whole, and the one that grows. The content is that of the
   * artifact with the same key.
   */
  "GET /sandboxes/{id}/recordings": {
    path: {
      id: string;
    };
    answer: Recordings;
  };
  /**
   * Lets a paused sandbox go on. One that the runtime left paused when it stopped starts again, with its files, sign-ins and
   * tabs; wait with `GET /v1/sandboxes/{id}?waitFor=ready`.
   */
  "POST /sandboxes/{id}/resume": {
    path: {
      id: string;
    };
    answer: Sandbox;
  };
  /**
   * Lists the sign-ins that a person typed while they drove, and that the vault does not hold. Their passwords are in memory
   * alone, and are forgotten after the answer, after a few minutes, and with the sandbox.
   */
  "GET /sandboxes/{id}/sign-in-offers": {
    path: {
      id: string;
    };
    answer: SignInOffers;
  };
  /** Answers an offer to keep a sign-in that a person typed. If it cannot be kept now, the offer stays open. */
  "POST /sandboxes/{id}/sign-in-offers/{offerId}": {
    path: {
      id: string;
      offerId: string;
    };
    json: SignInAnswer;
    answer: SignInAnswered;
  };
  /**
   * Opens the live view over a WebSocket: pictures as binary messages, everything else as text. A text message is a
   * `FromViewer` or a `ToViewer` of this document, as JSON.
   */
  "GET /sandboxes/{id}/stream": {
    path: {
      id: string;
    };
    query?: {
      /** `watch` or `control`. Default: `control`, if the token allows it. */
      mode?: ViewerMode;
    };
  };
  /** Starts a task from a `prompt` or a `playbook`. Returns at once. */
  "POST /sandboxes/{id}/tasks": {
    path: {
      id: string;
    };
    json: TaskRequest;
    answer: Started;
  };
  /**
   * Opens a terminal in the sandbox. Closing the connection ends what runs in it, unless it is kept under a `name`: then it
   * goes on, and the next connection is sent `{"replay":BYTES}` and what it showed before.
   */
  "GET /sandboxes/{id}/terminal": {
    path: {
      id: string;
    };
    query?: {
      /** Default 80. */
      cols?: number;
      /** Default 24. */
      rows?: number;
      /**
       * Keeps the terminal with the sandbox under this name, or joins the one of that name: 1 to 32 letters, digits, `-` or
       * `_`. Without it the terminal ends with its connection.
       */
      name?: string;
    };
  };
  /** Lists the terminals that are kept with the sandbox. */
  "GET /sandboxes/{id}/terminals": {
    path: {
      id: string;
    };
    answer: ListPage<Terminal>;
  };
  /** Ends a kept terminal with all that runs in it. */
  "DELETE /sandboxes/{id}/terminals/{name}": {
    path: {
      id: string;
      name: string;
    };
    answer: Terminal;
  };
  /** Opens a WebRTC view: takes an SDP offer and returns an SDP answer. `DELETE` the `Location` to leave. */
  "POST /sandboxes/{id}/whep": {
    path: {
      id: string;
    };
    query?: {
      /** `watch` or `control`. Default: `control`, if the token allows it. */
      mode?: ViewerMode;
    };
  };
  /** Ends a WebRTC view. */
  "DELETE /sandboxes/{id}/whep/{session}": {
    path: {
      id: string;
      session: string;
    };
  };
  /** Searches tasks and events by their words, newest first. An empty query finds nothing. */
  "GET /search": {
    query?: {
      /** Words, or parts of words. */
      q?: string;
      limit?: number;
      cursor?: string;
    };
    answer: ListPage<Hit>;
  };
  /** Lists tasks, newest first. */
  "GET /tasks": {
    query?: {
      sandboxId?: string;
      status?: TaskStatus;
      /** Words, or parts of words, of the task. */
      q?: string;
      limit?: number;
      cursor?: string;
    };
    answer: ListPage<Task>;
  };
  /** Returns one task. */
  "GET /tasks/{taskId}": {
    path: {
      taskId: string;
    };
    answer: Task;
  };
  /**
   * Returns everything that a task left as one zip: story, files, recording, receipts, approvals, and a manifest of hashes.
   * `baton verify` checks it. The task must be over. Needs the token or a ticket.
   */
  "GET /tasks/{taskId}/bundle": {
    path: {
      taskId: string;
    };
    query?: {
      /** The ticket from `url`, instead of the token. */
      ticket?: string;
    };
  };
  /** Returns an address of the bundle that needs no token and expires. */
  "GET /tasks/{taskId}/bundle/url": {
    path: {
      taskId: string;
    };
    query?: {
      /** How long the address works, in milliseconds: 1,000 to 86,400,000. Default 900,000. */
      ttlMs?: number;
    };
    answer: Link;
  };
  /** Cancels a task that has not ended. */
  "POST /tasks/{taskId}/cancel": {
    path: {
      taskId: string;
    };
    answer: Task;
  };
  /** Lists the events of a task, oldest first. */
  "GET /tasks/{taskId}/events": {
    path: {
      taskId: string;
    };
    query?: {
      /** Only events after this one, named by `id` or `seq`. */
      after?: string;
      limit?: number;
      /** The same as `after`: `nextCursor` of the previous page. */
      cursor?: string;
    };
    answer: ListPage<Event>;
  };
  /** Sends the agent a message, in any state of the task. The agent reads it before its next step. */
  "POST /tasks/{taskId}/messages": {
    path: {
      taskId: string;
    };
    json: Message;
    answer: Task;
  };
  /**
   * Returns a task that is over as a playbook, which does the same without a model. What was typed becomes parameters; what
   * was typed into a field for a password or a code has no default, and what a person did is asked for again.
   */
  "GET /tasks/{taskId}/playbook": {
    path: {
      taskId: string;
    };
  };
  /**
   * Streams the model's output for a task as server-sent events `text`. A WebSocket request gets one message for each.
   * The stream is not stored: each step's event holds the whole text.
   */
  "GET /tasks/{taskId}/speech": {
    path: {
      taskId: string;
    };
  };
  /** Creates an address that opens the interface in a browser, once. */
  "POST /tickets": {
    answer: InterfaceLink;
  };
  /** Exchanges a ticket for a token. A ticket works once. */
  "POST /tickets/redeem": {
    json: Ticket;
    answer: Redeemed;
  };
  /** Lists webhooks, newest first. */
  "GET /webhooks": {
    query?: {
      /** 1 to 200; 50 without it. */
      limit?: number;
      /** `nextCursor` of the page before. */
      cursor?: string;
    };
    answer: ListPage<Webhook>;
  };
  /** Creates a webhook. Its secret is shown only in this answer. */
  "POST /webhooks": {
    json: NewWebhook;
    answer: WebhookSecret;
  };
  /** Returns a webhook, without its secret. */
  "GET /webhooks/{webhookId}": {
    path: {
      webhookId: string;
    };
    answer: Webhook;
  };
  /** Changes the fields in the body. While a webhook is disabled, its messages wait. */
  "PATCH /webhooks/{webhookId}": {
    path: {
      webhookId: string;
    };
    json: WebhookPatch;
    answer: Webhook;
  };
  /** Deletes a webhook and its deliveries. */
  "DELETE /webhooks/{webhookId}": {
    path: {
      webhookId: string;
    };
    answer: Webhook;
  };
  /** Lists sent and pending messages, newest first. Messages are kept for 30 days after they end. */
  "GET /webhooks/{webhookId}/deliveries": {
    path: {
      webhookId: string;
    };
    query?: {
      status?: DeliveryStatus;
      limit?: number;
      cursor?: string;
    };
    answer: ListPage<Delivery>;
  };
  /** Sends a message again, with the same id and body. */
  "POST /webhooks/{webhookId}/deliveries/{deliveryId}/resend": {
    path: {
      webhookId: string;
      deliveryId: string;
    };
    answer: Delivery;
  };
  /** Creates a new secret, shown only in this answer. The previous secret also signs for `overlapMs`. */
  "POST /webhooks/{webhookId}/rotate": {
    path: {
      webhookId: string;
    };
    json: SecretRotation;
    answer: WebhookSecret;
  };
  /** Sends a message of type `webhook.test` and returns when the receiver has answered. */
  "POST /webhooks/{webhookId}/test": {
    path: {
      webhookId: string;
    };
    answer: Delivery;
  };
}
