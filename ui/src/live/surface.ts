/** The 2D canvas that shows the screen, in the screen's own pixels. */
import type { Tile } from './picture';
import type { Screen } from './words';

export class Surface {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    const context = canvas.getContext('2d', { alpha: false });
    if (context === null) throw new Error('this page draws no 2D canvas');
    this.#context = context;
    context.imageSmoothingEnabled = false;
  }

  /** Makes the canvas as large as the screen, keeping what it shows; says whether it changed. */
  resize({ width, height }: Screen): boolean {
    const canvas = this.#canvas;
    if (canvas.width === width && canvas.height === height) return false;
    const before = canvas.width > 0 && canvas.height > 0 ? this.#snapshot() : null;
    canvas.width = width;
    canvas.height = height;
    this.#context.imageSmoothingEnabled = false;
    if (before !== null) this.#context.drawImage(before, 0, 0);
    return true;
  }

  drawFrame(frame: VideoFrame, size: Screen): void {
    this.resize(size);
    this.#context.drawImage(frame, 0, 0, size.width, size.height);
  }

  /** Draws parts in order; copies come from what was shown before the first of them. */
  drawTiles(tiles: readonly Tile[]): void {
    // Only a copy that follows another part may find its source painted over.
    const before = tiles.some((tile, n) => n > 0 && tile.encoding === 'copy') ? this.#snapshot() : this.#canvas;
    for (const tile of tiles) this.#drawTile(tile, before);
  }

  #drawTile(tile: Tile, before: CanvasImageSource): void {
    const { x, y, width, height } = tile;
    switch (tile.encoding) {
      case 'raw':
        this.#context.putImageData(new ImageData(tile.rgba, width, height), x, y);
        break;
      case 'solid': {
        const [red, green, blue] = tile.rgba;
        this.#context.fillStyle = `rgb(${red} ${green} ${blue})`;
        this.#context.fillRect(x, y, width, height);
        break;
      }
      case 'copy':
        this.#context.drawImage(before, tile.fromX, tile.fromY, width, height, x, y, width, height);
        break;
    }
  }

  #snapshot(): HTMLCanvasElement {
    const copy = document.createElement('canvas');
    copy.width = this.#canvas.width;
    copy.height = this.#canvas.height;
    copy.getContext('2d', { alpha: false })?.drawImage(this.#canvas, 0, 0);
    return copy;
  }
}
