/** What the runtime answers when it does not do something, as a person reads it. */

export interface Problem {
  code: string;
  message: string;
  hint: string | null;
  /** Where in a text that was sent, counted from 1. */
  line: number | null;
  column: number | null;
}

/** Returns the problem in an answer's body, `{ error: { code, message, hint?, details? } }`. */
export function problemOf(status: number, json: unknown): Problem {
  const error = field(json, 'error');
  const code = field(error, 'code');
  const message = field(error, 'message');
  const details = field(error, 'details');
  const said = typeof message === 'string' ? message : `the runtime answered ${status}`;
  const inText = /line (\d+),? column (\d+)/i.exec(said);
  return {
    code: typeof code === 'string' ? code : 'internal',
    message: said.charAt(0).toUpperCase() + said.slice(1),
    hint: text(field(error, 'hint')),
    line: number(field(details, 'line')) ?? (inText === null ? null : Number(inText[1])),
    column: number(field(details, 'column')) ?? (inText === null ? null : Number(inText[2])),
  };
}

/** Returns a problem as sentences: what is wrong, then what to do about it. */
export function problemSentence({ message, hint }: Problem): string {
  const said = /[.!?]$/.test(message) ? message : `${message}.`;
  return hint === null ? said : `${said} ${hint}`;
}

/** Returns a problem as sentences, for a place where its line is shown already. */
export function sentenceInPlace(problem: Problem): string {
  const said = problem.message.replace(/^(?:playbook: )?line \d+,? column \d+: /i, '');
  return problemSentence({ ...problem, message: said.charAt(0).toUpperCase() + said.slice(1) });
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function number(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
