/**
 * A page of the workspace as one that stands still: no script, nothing that loads, nowhere to go; its pictures from the
 * workspace inside it. The frame that draws it allows none of this either: each alone would do.
 */
import DOMPurify from 'dompurify';
import { besidePath } from '../core/source';
import { mediaType } from '../core/viewer';

/** In the page itself, on top of the policy of the window that holds it. */
export const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; media-src data:; form-action 'none'; base-uri 'none'";

const PICTURES_MAX = 60;
const PICTURE_MAX = 4 << 20;

const FORBIDDEN = {
  WHOLE_DOCUMENT: true,
  FORBID_TAGS: ['script', 'link', 'meta', 'base', 'iframe', 'frame', 'frameset', 'object', 'embed', 'applet', 'portal', 'form', 'template', 'noscript'],
  FORBID_ATTR: ['srcset', 'ping', 'action', 'formaction', 'background', 'http-equiv', 'manifest'],
};

export async function stillPage(html: string, path: string, beside: (path: string) => Promise<Uint8Array<ArrayBuffer> | null>): Promise<string> {
  const page = new DOMParser().parseFromString(DOMPurify.sanitize(html, FORBIDDEN), 'text/html');
  for (const link of page.querySelectorAll('a[href], area[href]')) {
    // Jumps within the page are its own.
    if (!(link.getAttribute('href') ?? '').startsWith('#')) link.removeAttribute('href');
  }
  const images = [...page.querySelectorAll('img[src]')];
  await Promise.all(
    images.map(async (image, i) => {
      const source = image.getAttribute('src') ?? '';
      if (source.startsWith('data:image/')) return;
      image.removeAttribute('src');
      const at = besidePath(path, source);
      const bytes = at === null || i >= PICTURES_MAX ? null : await beside(at);
      if (at !== null && bytes !== null && bytes.length <= PICTURE_MAX) image.setAttribute('src', await dataUrl(bytes, mediaType(at)));
    }),
  );
  const policy = page.createElement('meta');
  policy.httpEquiv = 'Content-Security-Policy';
  policy.content = PAGE_POLICY;
  page.head.prepend(policy);
  return `<!doctype html>${page.documentElement.outerHTML}`;
}

function dataUrl(bytes: Uint8Array<ArrayBuffer>, type: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(new Error('the picture cannot be read'));
    reader.readAsDataURL(new Blob([bytes], { type }));
  });
}
