/** The story narrowed to what is looked for. */
import { score } from './palette';
import { gapHead, gapTail, type StoryLine, type Topic } from './story';
import { text } from './words';

export interface Found {
  key: string;
  at: number;
  text: string;
}

/** Returns the lines that have every one of the folded words, in the words that a person sees. */
export function foundInStory(lines: readonly StoryLine[], words: readonly string[]): Found[] {
  return lines.flatMap(flat).filter((line) => score(words, line.text) !== null);
}

/** Returns the lines about one thing; runs of small steps are opened, for a fold would hide what was asked for. */
export function about(lines: readonly StoryLine[], topic: Topic | null): StoryLine[] {
  if (topic === null) return [...lines];
  return lines.flatMap((line): StoryLine[] => {
    switch (line.kind) {
      case 'gap':
        return topic === 'mine' ? [line] : [];
      case 'fold':
        return line.lines.filter((small) => small.topics.includes(topic)).map((small) => ({ kind: 'line', ...small, tone: 'quiet', detail: null }));
      case 'line':
        return line.topics.includes(topic) ? [line] : [];
    }
  });
}

/** Returns the key of the line in which something that happened at a time is told, and whether it is within a fold. */
export function lineAt(lines: readonly StoryLine[], at: number): { key: string; inFold: string | null } | null {
  let last: { key: string; inFold: string | null } | null = null;
  for (const line of lines) {
    const parts = line.kind === 'fold' ? line.lines.map((small) => ({ key: small.key, at: small.at, inFold: line.key })) : [{ key: line.key, at: line.at, inFold: null }];
    for (const part of parts) if (part.at <= at || last === null) last = { key: part.key, inFold: part.inFold };
  }
  return last;
}

function flat(line: StoryLine): Found[] {
  switch (line.kind) {
    case 'gap':
      return [{ key: line.key, at: line.at, text: [gapHead(line), gapTail(line), line.note ?? ''].join(' ').trim() }];
    case 'fold':
      return line.lines.map((small) => ({ key: small.key, at: small.at, text: text(small.words) }));
    case 'line':
      return [{ key: line.key, at: line.at, text: line.detail === null ? text(line.words) : `${text(line.words)}: ${line.detail}` }];
  }
}
