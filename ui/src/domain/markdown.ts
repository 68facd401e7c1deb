/**
 * Markdown as safe HTML: what a page or an agent wrote is data.
 *
 * Raw HTML of the source is shown as text, links lose their target address unless https, and a picture only names its place
 * in the workspace: whoever shows the text reads it from there, and nothing is fetched. The sanitiser has the last word.
 */
import DOMPurify from 'dompurify';
import { Marked } from 'marked';

/** The attribute in which a picture names its place. */
export const PICTURE = 'data-picture';

const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const marked = new Marked({
  gfm: true,
  async: false,
  renderer: {
    html: ({ text }) => escapeHtml(text),
    // A task list's boxes are read, not ticked.
    checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
    image: ({ href, text }) => {
      const words = escapeHtml(text === '' ? 'picture' : text);
      // One from elsewhere would be fetched.
      if (/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(href)) return `<em>${words}</em>`;
      return `<img alt="${words}" ${PICTURE}="${escapeHtml(href)}">`;
    },
  },
});

const ALLOWED = {
  ALLOWED_TAGS: 'p h1 h2 h3 h4 h5 h6 ul ol li em strong del code pre blockquote hr br a img table thead tbody tr th td'.split(' '),
  ALLOWED_ATTR: ['href', 'align', 'start', 'alt', PICTURE],
  ALLOW_DATA_ATTR: false,
  ADD_URI_SAFE_ATTR: [PICTURE, 'align', 'start'],
  ALLOWED_URI_REGEXP: /^https:\/\//i,
};

export function markdownToHtml(source: string): string {
  return DOMPurify.sanitize(marked.parse(source) as string, ALLOWED);
}
