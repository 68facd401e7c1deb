/** How the palette finds: every word that was typed has to occur, and what begins with it comes first. */

/** A stretch of a text: `hit` where it is what was looked for. */
export interface Piece {
  text: string;
  hit: boolean;
}

/** Returns the words of a query, folded. */
export function wordsOf(query: string): string[] {
  return fold(query).split(/\s+/).filter((word) => word !== '');
}

/** Returns how well a text fits, or `null` when a word is missing. Less is better; `also` counts, but less than the text itself. */
export function score(words: readonly string[], text: string, also = ''): number | null {
  const [folded, more] = [fold(text), fold(also)];
  let sum = 0;
  for (const word of words) {
    const at = folded.indexOf(word);
    if (at === 0) continue;
    if (at > 0) sum += isStart(folded, at) ? 1 : 3;
    else if (more.includes(word)) sum += isStart(more, more.indexOf(word)) ? 5 : 8;
    else return null;
  }
  return sum + Math.min(folded.length, 200) / 1_000;
}

/** Returns those that fit, the best first; all in their order for an empty query. */
export function ranked<T>(items: readonly T[], words: readonly string[], textOf: (item: T) => { text: string; also?: string }): T[] {
  if (words.length === 0) return [...items];
  return items
    .map((item, i) => ({ item, i, score: score(words, textOf(item).text, textOf(item).also) }))
    .filter((each): each is { item: T; i: number; score: number } => each.score !== null)
    .sort((a, b) => a.score - b.score || a.i - b.i)
    .map((each) => each.item);
}

/** Returns a text in pieces, with every place of a word marked. */
export function marked(text: string, words: readonly string[]): Piece[] {
  const folded = foldInPlace(text);
  const hits = Array.from({ length: text.length }, () => false);
  for (const word of words) {
    for (let at = folded.indexOf(word); at !== -1; at = folded.indexOf(word, at + word.length)) hits.fill(true, at, at + word.length);
  }
  const pieces: Piece[] = [];
  for (let i = 0; i < text.length; i += 1) {
    const hit = hits[i] === true;
    const last = pieces.at(-1);
    if (last !== undefined && last.hit === hit) last.text += text[i]!;
    else pieces.push({ text: text[i]!, hit });
  }
  return pieces;
}

/** Returns a long text around the first place of a word, so that what was found is in sight. */
export function around(text: string, words: readonly string[], most = 120): string {
  const line = text.replace(/\s+/g, ' ').trim();
  if (line.length <= most) return line;
  const folded = foldInPlace(line);
  const first = Math.min(...words.map((word) => folded.indexOf(word)).filter((at) => at !== -1));
  if (!Number.isFinite(first) || first < most - 20) return `${line.slice(0, most - 1)}…`;
  const from = Math.max(0, first - 40);
  return `…${line.slice(from, from + most - 2)}…`;
}

function isStart(text: string, at: number): boolean {
  return at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1]!);
}

function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

/** As [`fold`], keeping every sign in its place. */
function foldInPlace(text: string): string {
  return Array.from({ length: text.length }, (_, i) => {
    const folded = fold(text[i]!);
    return folded.length === 1 ? folded : text[i]!;
  }).join('');
}
