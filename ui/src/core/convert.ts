/** What a document can become, as the runtime carries it out. */
import type { DocumentFormat } from '../types';
import { ending } from './viewer';

const TARGETS: Record<string, DocumentFormat[]> = {
  html: ['pdf', 'docx', 'md'], htm: ['pdf', 'docx', 'md'],
  md: ['pdf', 'docx', 'html'], markdown: ['pdf', 'docx', 'html'],
  docx: ['pdf', 'md', 'html'],
  csv: ['pdf'],
  pdf: ['png', 'txt'],
};
const TO_PDF = 'doc odt rtf xlsx xls ods pptx ppt odp png jpg jpeg gif webp svg bmp'.split(' ');

const WORDS: Record<DocumentFormat, string> = { pdf: 'Make a PDF', docx: 'Make a Word document', html: 'Make an HTML page', md: 'Make a Markdown text', png: 'Make pictures of its pages', txt: 'Make a plain text' };

/** Returns what a file can become, by its name. */
export function targetsOf(path: string): DocumentFormat[] {
  const kind = ending(path);
  return TARGETS[kind] ?? (TO_PDF.includes(kind) ? ['pdf'] : []);
}

export function targetWords(target: DocumentFormat): string {
  return WORDS[target];
}
