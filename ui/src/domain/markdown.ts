/**
 * Markdown as safe HTML: what a page or an agent wrote is data.
 *
 * Raw HTML of the source is shown as text, images are left out (they would fetch), links lose their target address unless https.
 * The sanitiser has the last word.
 */
import DOMPurify from 'dompurify';
import { Marked } from 'marked';

const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const marked = new Marked({
  gfm: true,
  async: false,
  renderer: {
    html: ({ text }) => escapeHtml(text),
    // A task list's boxes are read, not ticked.
    checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
    image: ({ text }) => `<em>${escapeHtml(text === '' ? 'picture' : text)}</em>`,
  },
});

const ALLOWED = {
  ALLOWED_TAGS: 'p h1 h2 h3 h4 h5 h6 ul ol li em strong del code pre blockquote hr br a table thead tbody tr th td'.split(' '),
  ALLOWED_ATTR: ['href', 'align', 'start'],
  ALLOWED_URI_REGEXP: /^https:\/\//i,
};

export function markdownToHtml(source: string): string {
  return DOMPurify.sanitize(marked.parse(source) as string, ALLOWED);
}
