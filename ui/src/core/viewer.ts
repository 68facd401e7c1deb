/** Which viewer shows a file: its name says, and its first bytes have the last word. */

export type Viewer =
  | 'text' | 'log' | 'markdown' | 'json' | 'html' | 'table' | 'sheet' | 'image' | 'pdf' | 'video' | 'audio' | 'archive' | 'document' | 'hex';

const BY_ENDING: Record<string, Viewer> = {
  md: 'markdown', markdown: 'markdown',
  json: 'json', geojson: 'json', ipynb: 'json', webmanifest: 'json',
  html: 'html', htm: 'html', xhtml: 'html',
  csv: 'table', tsv: 'table',
  xlsx: 'sheet', xlsm: 'sheet', xls: 'sheet', ods: 'sheet',
  png: 'image', jpg: 'image', jpeg: 'image', gif: 'image', webp: 'image', avif: 'image', bmp: 'image', ico: 'image', svg: 'image',
  pdf: 'pdf',
  mp4: 'video', m4v: 'video', webm: 'video', mov: 'video', ogv: 'video', mkv: 'video',
  mp3: 'audio', wav: 'audio', ogg: 'audio', oga: 'audio', flac: 'audio', m4a: 'audio', opus: 'audio', aac: 'audio',
  zip: 'archive', jar: 'archive', whl: 'archive', tar: 'archive', tgz: 'archive', gz: 'archive',
  docx: 'document', doc: 'document', odt: 'document', rtf: 'document', pptx: 'document', ppt: 'document', odp: 'document',
  log: 'log',
};

/** Media types of what the page draws itself. */
const MEDIA: Record<string, string> = {
  png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp', avif: 'image/avif', bmp: 'image/bmp', ico: 'image/x-icon', svg: 'image/svg+xml',
  mp4: 'video/mp4', m4v: 'video/mp4', webm: 'video/webm', mov: 'video/quicktime', ogv: 'video/ogg', mkv: 'video/x-matroska',
  mp3: 'audio/mpeg', wav: 'audio/wav', ogg: 'audio/ogg', oga: 'audio/ogg', flac: 'audio/flac', m4a: 'audio/mp4', opus: 'audio/ogg', aac: 'audio/aac',
};

/** Viewers of bytes that are no text. */
const BINARY: ReadonlySet<Viewer> = new Set(['image', 'pdf', 'video', 'audio', 'archive', 'sheet', 'document']);

/** Largest text that is shown as one, in bytes; more is read by windows. */
export const WHOLE_TEXT = 2 << 20;
/** Largest file that a viewer reads whole, in bytes, for those that do. */
export const WHOLE: Partial<Record<Viewer, number>> = {
  image: 64 << 20, sheet: 32 << 20, video: 256 << 20, audio: 256 << 20, markdown: WHOLE_TEXT, json: WHOLE_TEXT, html: WHOLE_TEXT, table: 16 << 20,
};
/** How many bytes decide. */
export const HEAD = 4096;

export function ending(path: string): string {
  return /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
}

/** Returns the media type that a picture, a film or a sound is drawn as. */
export function mediaType(path: string): string {
  return MEDIA[ending(path)] ?? 'application/octet-stream';
}

/** Returns what the name alone says, for a list. */
export function viewerOfName(path: string): Viewer {
  return BY_ENDING[ending(path)] ?? 'text';
}

/** Returns the viewer of a file that begins with `head` (up to [`HEAD`] bytes) and has `size` bytes. */
export function viewerOf(path: string, head: Uint8Array, size: number): Viewer {
  const named = BY_ENDING[ending(path)];
  const signed = bySignature(head);
  // A name may lie, and often there is none.
  const viewer = signed ?? (named !== undefined && BINARY.has(named) && !isSvg(path) ? (isText(head) && named !== 'archive' ? 'text' : named) : (named ?? 'text'));
  const chosen = signed === 'archive' && (named === 'sheet' || named === 'document') ? named : viewer;
  if (!BINARY.has(chosen) && !isText(head)) return 'hex';
  if (chosen === 'text' && size > WHOLE_TEXT) return 'log';
  const most = WHOLE[chosen];
  if (most === undefined || size <= most) return chosen;
  return BINARY.has(chosen) ? 'hex' : 'log';
}

function isSvg(path: string): boolean {
  return ending(path) === 'svg';
}

function bySignature(head: Uint8Array): Viewer | null {
  const begins = (...bytes: number[]) => bytes.every((byte, i) => head[i] === byte);
  const at = (offset: number, text: string) => [...text].every((c, i) => head[offset + i] === c.charCodeAt(0));
  if (begins(0x89, 0x50, 0x4e, 0x47) || begins(0xff, 0xd8, 0xff) || at(0, 'GIF8') || (at(0, 'RIFF') && at(8, 'WEBP'))) return 'image';
  if (at(0, '%PDF-')) return 'pdf';
  if (begins(0x50, 0x4b, 3, 4) || begins(0x50, 0x4b, 5, 6) || begins(0x1f, 0x8b) || at(257, 'ustar')) return 'archive';
  return null;
}

/** Whether bytes are text in some encoding. */
export function isText(head: Uint8Array): boolean {
  if (head.length === 0 || hasUtf16Mark(head) || looksUtf16(head) !== null) return true;
  if (head.includes(0)) return false;
  let odd = 0;
  for (const byte of head) if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27) || byte === 127) odd += 1;
  return odd <= head.length / 50;
}

/** Encodings that a person may choose, by the names that decoders take. */
export const ENCODINGS = [
  ['utf-8', 'UTF-8'], ['windows-1252', 'Western'], ['iso-8859-2', 'Central European'], ['windows-1251', 'Cyrillic'], ['koi8-r', 'Cyrillic, KOI8-R'],
  ['shift_jis', 'Japanese, Shift JIS'], ['euc-jp', 'Japanese, EUC'], ['gb18030', 'Chinese, GB 18030'], ['big5', 'Chinese, Big5'], ['euc-kr', 'Korean'],
  ['utf-16le', 'UTF-16'], ['utf-16be', 'UTF-16, big-endian'],
] as const;
export type Encoding = (typeof ENCODINGS)[number][0];

/** Returns the encoding that a text is written in, as far as its first bytes show. */
export function encodingOf(head: Uint8Array): Encoding {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  const wide = looksUtf16(head);
  if (wide !== null) return wide;
  // A letter that the end of the part cuts is no sign against it.
  for (let cut = 0; cut < 4; cut += 1) {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(head.subarray(0, head.length - cut));
      return 'utf-8';
    } catch {
      if (cut >= head.length) break;
    }
  }
  return 'windows-1252';
}

function hasUtf16Mark(head: Uint8Array): boolean {
  return (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
}

/** Text of western letters in UTF-16 has a zero in every second byte. */
function looksUtf16(head: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  if (head.length < 8) return null;
  let even = 0;
  let odd = 0;
  for (let i = 0; i + 1 < head.length; i += 2) {
    if (head[i] === 0) even += 1;
    if (head[i + 1] === 0) odd += 1;
  }
  const pairs = Math.floor(head.length / 2);
  if (odd > pairs * 0.8 && even < pairs * 0.05) return 'utf-16le';
  if (even > pairs * 0.8 && odd < pairs * 0.05) return 'utf-16be';
  return null;
}

/** Endings of files that run as programs, or run macros or scripts, when they are opened on a desktop. */
const RUNS = new Set(
  (
    'exe msi msix bat cmd com scr pif cpl ps1 psm1 vbs vbe js jse wsf wsh hta lnk url reg inf jar jnlp app dmg pkg mpkg command workflow scpt terminal ' +
    'desktop appimage run sh bash zsh fish csh py pyw pyz rb pl php deb rpm snap flatpak flatpakref apk docm dotm xlsm xltm xlam pptm ppsm potm xll sldm iso img vhd appref-ms application gadget chm'
  ).split(' '),
);

/** Whether a file may run something on the person's own computer when it is opened there. */
export function runsWhenOpened(path: string, head: Uint8Array = new Uint8Array()): boolean {
  if (RUNS.has(ending(path))) return true;
  const begins = (...bytes: number[]) => bytes.every((byte, i) => head[i] === byte);
  return begins(0x7f, 0x45, 0x4c, 0x46) || begins(0x4d, 0x5a) || begins(0x23, 0x21) || begins(0xcf, 0xfa, 0xed, 0xfe);
}
