/**
 * Everything that can be done from the keyboard or the palette: one table, so that the palette and the sheet of shortcuts
 * can never say different things.
 */

export type CommandId =
  | 'newTask'
  | 'palette'
  | 'shortcuts'
  | 'settings'
  | 'takeControl'
  | 'approve'
  | 'deny'
  | 'runAgain'
  | 'edit'
  | 'pause'
  | 'resume'
  | 'end'
  | 'rename'
  | 'archive'
  | 'delete'
  | 'story'
  | 'files'
  | 'outputs'
  | 'side'
  | 'list'
  | 'wall'
  | 'fit'
  | 'terminal'
  | 'fullScreen'
  | 'demo'
  | 'machine'
  | 'setup'
  | 'light'
  | 'dark'
  | 'asSystem'
  | 'quit';

export interface Command {
  id: CommandId;
  label: string;
  keys: string;
  /** Other words that people look for it by. */
  words: string;
  group: 'Anywhere' | 'This job' | 'The window';
}

/** The table, in the order of the sheet. */
export const COMMANDS: readonly Command[] = [
  { id: 'newTask', label: 'New task', keys: 'Ctrl N', words: 'create start job playbook steps prompt', group: 'Anywhere' },
  { id: 'palette', label: 'Search and commands', keys: 'Ctrl K', words: 'palette find open', group: 'Anywhere' },
  { id: 'settings', label: 'Settings', keys: 'Ctrl ,', words: 'preferences options', group: 'Anywhere' },
  { id: 'shortcuts', label: 'Keyboard shortcuts', keys: '?', words: 'keys help', group: 'Anywhere' },
  { id: 'demo', label: 'Run the demo', keys: '', words: 'try example portal first', group: 'Anywhere' },
  { id: 'machine', label: 'What this machine can do', keys: '', words: 'doctor checks missing install', group: 'Anywhere' },
  { id: 'setup', label: 'Check my setup', keys: '', words: 'keyboard layout paste delay ime dead keys upload download', group: 'Anywhere' },
  { id: 'quit', label: 'Quit Baton', keys: 'Ctrl Q', words: 'exit close', group: 'Anywhere' },
  { id: 'takeControl', label: 'Take control, or hand back', keys: 'F9', words: 'drive', group: 'This job' },
  { id: 'approve', label: 'Approve what is asked', keys: 'Ctrl ↵', words: 'yes allow', group: 'This job' },
  { id: 'deny', label: 'Deny what is asked', keys: 'Ctrl Shift D', words: 'no refuse', group: 'This job' },
  { id: 'fit', label: 'Fit the page to the window', keys: 'F8', words: 'size scale resize', group: 'This job' },
  { id: 'runAgain', label: 'Run again', keys: '', words: 'repeat restart', group: 'This job' },
  { id: 'edit', label: 'Edit and run again…', keys: '', words: 'steps change duplicate', group: 'This job' },
  { id: 'pause', label: 'Pause', keys: '', words: 'freeze stop', group: 'This job' },
  { id: 'resume', label: 'Resume', keys: '', words: 'continue', group: 'This job' },
  { id: 'rename', label: 'Rename…', keys: '', words: 'name title', group: 'This job' },
  { id: 'archive', label: 'Archive', keys: '', words: 'hide put away', group: 'This job' },
  { id: 'end', label: 'End the sandbox…', keys: '', words: 'stop close kill', group: 'This job' },
  { id: 'delete', label: 'Delete…', keys: '', words: 'remove forget', group: 'This job' },
  { id: 'story', label: 'Show the story', keys: '', words: 'history log events', group: 'The window' },
  { id: 'files', label: 'Show the files', keys: '', words: 'workspace', group: 'The window' },
  { id: 'outputs', label: 'Show the outputs', keys: '', words: 'results artifacts checkpoints', group: 'The window' },
  { id: 'side', label: 'Show or hide the right column', keys: 'Ctrl .', words: 'panel drawer', group: 'The window' },
  { id: 'list', label: 'Fold or show the list of work', keys: 'Ctrl B', words: 'sidebar left rail', group: 'The window' },
  { id: 'wall', label: 'Wall: everything that runs', keys: 'F6', words: 'tiles live many overview', group: 'The window' },
  { id: 'terminal', label: 'Show or hide the terminal', keys: 'Ctrl `', words: 'shell command code', group: 'The window' },
  { id: 'fullScreen', label: 'Full screen, and back', keys: 'F11', words: 'wide large', group: 'The window' },
  { id: 'light', label: 'Light theme', keys: '', words: 'look colours bright', group: 'The window' },
  { id: 'dark', label: 'Dark theme', keys: '', words: 'look colours night', group: 'The window' },
  { id: 'asSystem', label: 'Theme as the system', keys: '', words: 'look colours automatic', group: 'The window' },
];

/** Keys that mean something in one place only, for the sheet. */
export const LOCAL_KEYS: readonly { group: string; keys: readonly { keys: string; label: string }[] }[] = [
  {
    group: 'In the list of work',
    keys: [
      { keys: '↑ ↓', label: 'Open the job above or below' },
      { keys: 'F2', label: 'Rename' },
      { keys: 'E', label: 'Archive' },
      { keys: 'Del', label: 'Delete' },
      { keys: 'Ctrl Click', label: 'Add a job to the choice' },
      { keys: 'Shift Click', label: 'Choose a range' },
      { keys: 'Shift ↑ ↓', label: 'Choose more' },
      { keys: 'Menu', label: 'What can be done with it' },
    ],
  },
  {
    group: 'On the picture',
    keys: [
      { keys: 'Ctrl +', label: 'Larger' },
      { keys: 'Ctrl −', label: 'Smaller' },
      { keys: 'Ctrl 0', label: 'Show all of it' },
      { keys: 'Ctrl 1', label: 'Show it 1:1' },
    ],
  },
  {
    group: 'While you drive',
    keys: [
      { keys: 'F9', label: 'Hand back; press again to send' },
      { keys: 'Esc', label: 'Cancel the hand-back and keep driving' },
    ],
  },
  {
    group: 'In a text or a table',
    keys: [
      { keys: 'Ctrl F', label: 'Find in this file' },
      { keys: 'Esc', label: 'Back to the files' },
    ],
  },
  {
    group: 'In the steps of a task',
    keys: [
      { keys: 'Ctrl Space', label: 'Show suggestions' },
      { keys: 'F8', label: 'Go to the next mistake' },
      { keys: 'Esc Tab', label: 'Leave the editor' },
      { keys: 'Ctrl ↵', label: 'Start' },
    ],
  },
];
