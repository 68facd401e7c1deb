// Written by scripts/types.mjs from docs/openapi.json; not to be edited.

/** What kind of doing a question or a rule is about. */
export type ActKind = "pay" | "send" | "delete" | "publish" | "submit" | "signIn" | "useSecret" | "newDestination";

/** Why an action was not done. */
export type ActionError = {
  message: string;
};

/** On whose behalf something was done. */
export type Actor = "agent" | "person" | "api" | "system";

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

/** Money, in hundredths of its unit. */
export type Amount = {
  /** ISO 4217 letters; empty where none was seen. */
  currency: string;
  hundredths: number;
};

/** One question to a person. It has no expiry: nobody's silence is an answer. */
export type Approval = {
  approvalId: ApprovalId;
  decidedAt?: i64 | null;
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
  requestedAt: i64;
  sandboxId: SandboxId;
  status: ApprovalStatus;
  taskId?: TaskId | null;
  updatedAt: i64;
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
  createdAt: i64;
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
  createdAt: i64;
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

export type CodeLanguage = "python" | "javascript" | "typescript" | "bash";

export type CodeRequest = {
  code: string;
  language: CodeLanguage;
  timeoutMs?: number | null;
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
  createdAt: i64;
  /** Whether it has a password. */
  hasPassword?: boolean;
  /** Whether it makes one-time codes. */
  hasTotp?: boolean;
  /** Of a secret: the hosts that it is for. */
  hosts?: Array<string>;
  id: CredentialId;
  kind: CredentialKind;
  lastUsedAt?: i64 | null;
  lastUsedBy?: TaskId | null;
  /** What people call it; of a secret, the name that commands use. */
  name: string;
  /** The sites that its passkeys are for (relying party identifiers). */
  passkeySites?: Array<string>;
  /** How many passkeys it has. */
  passkeys?: number;
  rule: CredentialRule;
  /** Where a login is filled in: `portal.example`, `*.portal.example`, or an origin such as `http://127.0.0.1:8080`. */
  site?: string | null;
  source: CredentialSource;
  updatedAt: i64;
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
  at: i64;
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
  username?: string | null;
};

/** An entry of the vault was opened to be filled in. Its values are in no event. */
export type CredentialUsedEvent = EventEnvelope & {
  data: CredentialUsed;
  type: "sandbox.credential.used";
};

/** A loopback port that speaks the debugging protocol, to programs of the runtime's own user. */
export type DebuggingPort = {
  expiresAt: i64;
  host: string;
  port: number;
};

/** Addresses that need no token; whoever has them drives the browser. */
export type DebuggingUrl = {
  expiresAt: i64;
  httpUrl: string;
  wsUrl: string;
};

/** One message to one webhook. */
export type Delivery = {
  /** Since it was made, or resent. */
  attempts: number;
  createdAt: i64;
  deliveredAt?: i64 | null;
  eventId?: EventId | null;
  /** `webhook-id`: the same at each attempt. */
  id: DeliveryId;
  lastAttemptAt?: i64 | null;
  /** What went wrong last, in a sentence. */
  lastError?: string | null;
  /** What the receiver answered last. */
  lastStatus?: number | null;
  nextAttemptAt?: i64 | null;
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

/** What became of a dialog of the browser's own. */
export type DialogState = "open" | "closed" | "refused" | "answered";

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
  modifiedAt: i64;
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
  modifiedAt: i64;
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

export type GapReason = "person" | "typed" | "browser" | "limit" | "diskFull";

/** A standing permission: task × site × kind, within limits. It ends with its task at the latest. */
export type Grant = {
  approvalId: ApprovalId;
  createdAt: i64;
  expiresAt?: i64 | null;
  grantId: GrantId;
  kind: ActKind;
  maxAmount?: Amount | null;
  maxUses?: number | null;
  revokedAt?: i64 | null;
  sandboxId: SandboxId;
  /** Site of the destination, with a port where it is not the usual one. */
  site: string;
  /** In hundredths, of what had an amount. */
  spent: number;
  taskId: TaskId;
  usedAt?: i64 | null;
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
  acceptedAt?: i64 | null;
  completedAt?: i64 | null;
  controller?: string | null;
  expiresAt?: i64 | null;
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
  requestedAt: i64;
  requestedBy: RequestedBy;
  resumePrompt?: string | null;
  sandboxId: SandboxId;
  status: HandoffStatus;
  taskId?: TaskId | null;
  until?: Until | null;
  updatedAt: i64;
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
  handoff?: Handoff | null;
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
  at: i64;
  sandboxId: SandboxId;
  /** Plain text around the first place that was found; `…` where it was cut. */
  snippet: string;
  taskId?: TaskId | null;
  /** The task's title, or the event's type. */
  title: string;
};

/** The result of an import. */
export type ImportedCredentials = {
  imported: number;
  /** How many lines were not saved. */
  nSkipped: number;
  /** The first of them. */
  skipped: Array<SkippedLine>;
};

/** An address that opens the interface once. */
export type InterfaceLink = {
  url: string;
};

export type KeyState = "open" | "locked" | "new";

/** Where the keys of models are kept. */
export type KeyStorage = {
  state: KeyState;
  store: KeyStore;
};

export type KeyStore = "keyring" | "file";

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
  expiresAt: i64;
  url: string;
};

export type LinkRequest = {
  mode: ViewerMode;
  /** `true` is refused: links work on this machine only. */
  shareable?: boolean;
  /** How long the link can be opened, in milliseconds: 1,000 to 86,400,000. Default 300,000. */
  ttlMs?: number | null;
};

/** As browsers answer `/json/list`. */
export type Listed = {
  id: string;
  title: string;
  type: string;
  url: string;
  webSocketDebuggerUrl: string;
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

export type Navigate = {
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

export type NetworkMode = "open" | "allowlist" | "none";

export type NewCheckpoint = {
  /** A name for people to find it by, of at most 200 characters. */
  label?: string | null;
};

/** A new entry. */
export type NewCredential = {
  /** Of a secret: the hosts that it is for. */
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

export type PageName = {
  title: string;
  url: string;
};

export type Passphrase = {
  passphrase: string;
};

/** How a sandbox is paused, and since when. */
export type Paused = {
  at: i64;
  by: PausedBy;
};

/** What keeps a paused sandbox from running. */
export type PausedBy = "cgroup2" | "signals" | "engine" | "stopped";

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

/** The live browser, as programs see it. While a person holds control `blind` is true and `url`, `title`, `tabs` are empty. */
export type Preview = {
  blind: boolean;
  controlMode: ControlMode;
  controller?: string | null;
  debuggingPort?: DebuggingPort | null;
  status: PreviewStatus;
  tabs: Array<Tab>;
  title: string;
  updatedAt: i64;
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
  endedAt: i64;
  gaps: Array<RecordingGap>;
  /** The time of its first picture. */
  startedAt: i64;
};

/** A recording of a sandbox's browser: video of the page, with the true times. */
export type Recording = {
  /** While recording: the time of the newest picture. */
  endedAt: i64;
  gaps: Array<RecordingGap>;
  /** Whether it goes on. */
  growing?: boolean;
  /** Key of the finished artifact; the content can also be read while recording. */
  key: ArtifactKey;
  /** Bytes. */
  size: number;
  startedAt: i64;
};

/** A time that a recording does not show: one plain picture stands for it. */
export type RecordingGap = {
  from: i64;
  to: i64;
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
  expiresAt?: i64 | null;
  mode?: ViewerMode | null;
  purpose: Purpose;
  sandboxId?: SandboxId | null;
  token: string;
};

/** What was removed. */
export type RemovedFile = {
  kind: FileKind;
  modifiedAt: i64;
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
  approvals?: Array<Approval>;
  backend: BackendKind;
  capabilities: Capabilities;
  createdAt: i64;
  endedAt?: i64 | null;
  failure?: Failure | null;
  handoff?: Handoff | null;
  id: SandboxId;
  limits: SandboxLimits;
  name: string;
  network: NetworkConfig;
  paused?: Paused | null;
  preview: Preview;
  readyAt?: i64 | null;
  status: SandboxStatus;
  updatedAt: i64;
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
  inForce?: LimitsInForce;
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

/** Asks for a new secret. */
export type SecretRotation = {
  /** How long the secret before signs beside the new one: a day without it, at most a week; 0 ends it at once. */
  overlapMs?: number | null;
};

/** A field of a form or a request, as a person is shown it. */
export type ShownField = {
  masked: boolean;
  name: string;
  /** Shortened where it is long; dots where it is secret. */
  value: string;
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

export type Task = {
  createdAt: i64;
  endedAt?: i64 | null;
  error?: Failure | null;
  id: TaskId;
  metadata: Record<string, unknown>;
  playbook?: string | null;
  prompt?: string | null;
  result?: string | null;
  sandboxId: SandboxId;
  startedAt?: i64 | null;
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
  startedAt: i64;
  /** How many pages show it now. */
  viewers: number;
};

export type Ticket = {
  ticket: string;
};

/** A step as it is written in a playbook, `{ "click": { "role": "link" } }`, without what is typed, written or run. */
export type ToldStep = Record<string, unknown>;

/** A deletion that can be undone. */
export type TrashedFile = {
  deletedAt: i64;
  kind: FileKind;
  /** Where it was. */
  path: string;
  /** Bytes. */
  size: number;
  trashId: string;
};

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

export type UrlRequest = {
  /** For how long the addresses can be connected to: 1,000 to 86,400,000; 3,600,000 without it. */
  ttlMs?: number | null;
};

/** What a sandbox holds on the disk, in bytes. */
export type Usage = {
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

export type Verdict = "approve" | "deny";

/** As browsers answer `/json/version`. */
export type Version = {
  Browser: string;
  "Protocol-Version": string;
  "User-Agent": string;
  "V8-Version": string;
  webSocketDebuggerUrl: string;
};

export type ViewerLink = {
  expiresAt: i64;
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
  createdAt: i64;
  description: string;
  /** Why it is not enabled, where that was not asked for. */
  disabledReason?: string | null;
  enabled: boolean;
  /** Every type if empty. */
  eventTypes: Array<string>;
  id: WebhookId;
  previousSecretExpiresAt?: i64 | null;
  updatedAt: i64;
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

export type Written = {
  path: string;
  size: number;
};

export type i64 = number;
