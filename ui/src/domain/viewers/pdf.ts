/** PDF.js as the viewer uses it: parsed in a worker, drawn on canvases, no scripts, no forms, no links. Loaded when a PDF is first shown. */
import { AnnotationMode, getDocument, GlobalWorkerOptions, PDFDataRangeTransport, TextLayer, type PDFDocumentProxy, type PDFPageProxy } from 'pdfjs-dist/legacy/build/pdf.mjs';
// The address of the file, which Vite gives as the default.
// oxlint-disable-next-line import/default
import workerUrl from 'pdfjs-dist/legacy/build/pdf.worker.min.mjs?url';

GlobalWorkerOptions.workerSrc = workerUrl;

type Read = (from: number, to: number) => Promise<Uint8Array>;

/** The first part, which most of a small document is in. */
const FIRST = 256 << 10;

export interface Pdf {
  /** Size of each page in points; those that were not looked at yet have that of the first. */
  pages: { width: number; height: number }[];
  /** Draws a page with its text above it; the disposer takes both away. */
  draw: (n: number, into: HTMLElement, width: number) => Promise<() => void>;
  /** Returns the words of a page. */
  text: (n: number) => Promise<string>;
  close: () => void;
}

class Parts extends PDFDataRangeTransport {
  readonly #read: Read;

  constructor(size: number, first: Uint8Array, read: Read) {
    super(size, first);
    this.#read = read;
  }

  override requestDataRange(from: number, to: number): void {
    this.#read(from, to).then((bytes) => this.onDataRange(from, bytes), () => this.abort());
  }
}

/** Opens a document by its parts, so that a large one is never read whole. */
export async function openPdf(size: number, read: Read): Promise<Pdf> {
  const first = await read(0, Math.min(size, FIRST));
  const whole = first.length >= size;
  const loading = getDocument({
    ...(whole ? { data: first } : { range: new Parts(size, first, read), disableAutoFetch: true, disableStream: true }),
    isEvalSupported: false,
    useWasm: false,
    enableXfa: false,
    stopAtErrors: false,
    verbosity: 0,
  });
  const document = await loading.promise;
  const box = (page: PDFPageProxy) => {
    const { width, height } = page.getViewport({ scale: 1 });
    return { width, height };
  };
  const pageOne = box(await document.getPage(1));
  const pages = Array.from({ length: document.numPages }, () => pageOne);
  return {
    pages,
    draw: async (n, into, width) => {
      const page = await document.getPage(n + 1);
      pages[n] = box(page);
      return drawPage(page, into, width);
    },
    text: (n) => textOf(document, n),
    close: () => void loading.destroy(),
  };
}

async function drawPage(page: PDFPageProxy, into: HTMLElement, width: number): Promise<() => void> {
  const scale = width / page.getViewport({ scale: 1 }).width;
  const viewport = page.getViewport({ scale });
  const density = Math.min(devicePixelRatio, 2.5);
  const canvas = globalThis.document.createElement('canvas');
  canvas.width = Math.floor(viewport.width * density);
  canvas.height = Math.floor(viewport.height * density);
  canvas.setAttribute('aria-hidden', 'true');
  const words = globalThis.document.createElement('div');
  words.className = 'words';
  words.style.setProperty('--total-scale-factor', String(scale));
  into.replaceChildren(canvas, words);
  const task = page.render({ canvas, viewport, transform: [density, 0, 0, density, 0, 0], annotationMode: AnnotationMode.ENABLE, background: '#fff' });
  const layer = new TextLayer({ textContentSource: page.streamTextContent(), container: words, viewport });
  await Promise.all([task.promise, layer.render()]);
  return () => {
    task.cancel();
    layer.cancel();
    // Frees the memory of the canvas at once.
    canvas.width = 0;
    into.replaceChildren();
    page.cleanup();
  };
}

async function textOf(document: PDFDocumentProxy, n: number): Promise<string> {
  const page = await document.getPage(n + 1);
  const { items } = await page.getTextContent();
  return items.map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : '')).join('');
}
