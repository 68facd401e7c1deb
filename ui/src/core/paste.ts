/** What is pasted into a terminal: a line break runs what stands before it, and what is hidden runs too. */

export interface PasteQuestion {
  /** How many lines it has. */
  lines: number;
  /** Whether characters were in it that nobody sees; they are left out. */
  hidden: boolean;
  /** What would be pasted. */
  text: string;
}

const UNSEEN = /[\u{ad}\u{61c}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2060}-\u{206f}\u{feff}\u{e0000}-\u{e0fff}]/gu;
// Escape, and with it every sequence: also the end of a bracketed paste, behind which a shell takes keys for typed ones.
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;

/** Returns a text as it may be typed into a terminal: no control characters but tabs and line breaks. */
export function pasteText(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(UNSEEN, '').replace(CONTROL, '');
}

/** Returns what a person is asked before a paste; `null` for one line that holds nothing hidden, which is pasted at once. */
export function pasteQuestion(text: string): PasteQuestion | null {
  const plain = pasteText(text);
  const hidden = plain !== text.replace(/\r\n?/g, '\n');
  const lines = plain.replace(/\n$/, '').split('\n').length;
  return plain.includes('\n') || hidden ? { lines, hidden, text: plain } : null;
}

/** Returns the question in words. */
export function pasteWords({ lines, hidden }: PasteQuestion): string {
  const what = lines === 1 ? 'One line' : `${lines} lines`;
  const runs = lines === 1 ? 'It may run at once.' : 'They may run at once.';
  return `${what}. ${runs}${hidden ? ' Hidden characters were taken out.' : ''}`;
}
