/**
 * The 2D canvas that shows the screen, in the screen's own pixels.
 *
 * Lossless pictures are drawn in memory and put on the canvas once each. Frames of a film are drawn on the canvas alone: until
 * the picture is exact again, what lies there in memory is older than what is shown.
 */
import { Raster } from './raster';
import type { Lossless, Rect } from './picture';

export class Surface {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  #raster = new Raster(0, 0);
  #image: ImageData | null = null;
  /** Where frames of a film were drawn since the picture was exact. */
  #film: Rect | null = null;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    const context = canvas.getContext('2d', { alpha: false });
    if (context === null) throw new Error('this page draws no 2D canvas');
    this.#context = context;
    context.imageSmoothingEnabled = false;
  }

  /** Draws a lossless picture. */
  draw(picture: Lossless): void {
    this.#fit(picture.screen);
    const changed = this.#raster.draw(picture);
    if (picture.exact) this.#film = null;
    if (this.#image === null || changed.length === 0) return;
    const all = changed.reduce(around);
    // One call costs less than many, unless it would put old pixels over the film.
    for (const { x, y, width, height } of this.#film !== null && meets(this.#film, all) ? changed : [all]) {
      this.#context.putImageData(this.#image, 0, 0, x, y, width, height);
    }
  }

  /** Draws a frame of the film in this part of the screen. */
  drawFrame(frame: VideoFrame, part: Rect, screen: { width: number; height: number }): void {
    this.#fit(screen);
    this.#context.drawImage(frame, part.x, part.y, part.width, part.height);
    this.#film = this.#film === null ? part : around(this.#film, part);
  }

  /** Takes the screen's size; what was shown stays as far as it fits, until the room sends all of it anew. */
  #fit({ width, height }: { width: number; height: number }): void {
    if (this.#raster.width === width && this.#raster.height === height) return;
    this.#raster = new Raster(width, height);
    this.#image = width > 0 && height > 0 ? new ImageData(new Uint8ClampedArray(this.#raster.pixels.buffer), width, height) : null;
    this.#film = null;
    const before = this.#canvas.width > 0 && this.#canvas.height > 0 ? this.#snapshot() : null;
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.#context.imageSmoothingEnabled = false;
    if (before !== null) this.#context.drawImage(before, 0, 0);
  }

  #snapshot(): HTMLCanvasElement {
    const copy = document.createElement('canvas');
    copy.width = this.#canvas.width;
    copy.height = this.#canvas.height;
    copy.getContext('2d', { alpha: false })?.drawImage(this.#canvas, 0, 0);
    return copy;
  }
}

function around(a: Rect, b: Rect): Rect {
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  const width = Math.max(a.x + a.width, b.x + b.width) - x;
  const height = Math.max(a.y + a.height, b.y + b.height) - y;
  return { x, y, width, height };
}

function meets(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
