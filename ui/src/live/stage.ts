/**
 * The elements of one live view, laid over each other around the canvas that its owner made:
 *
 * ```text
 *   canvas     the pictures                      composed   what an input method composes
 *   video      WebRTC's track, in their stead    overlay    what the person's hands do
 * ```
 */
export interface Stage {
  canvas: HTMLCanvasElement;
  video: HTMLVideoElement;
  overlay: HTMLTextAreaElement;
  composed: HTMLElement;
  show(what: 'canvas' | 'video'): void;
  remove(): void;
}

/** Builds the stage in the canvas' parent, which becomes the box that everything fits into. */
export function buildStage(canvas: HTMLCanvasElement): Stage {
  const box = canvas.parentElement;
  if (box === null) throw new Error('the canvas of a live view needs a parent');
  if (getComputedStyle(box).position === 'static') box.style.position = 'relative';
  fill(canvas);
  canvas.style.objectFit = 'contain';

  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  video.autoplay = true;
  video.disablePictureInPicture = true;
  video.setAttribute('aria-hidden', 'true');
  fill(video);
  video.style.objectFit = 'contain';

  const overlay = document.createElement('textarea');
  overlay.setAttribute('aria-label', 'The sandbox’s screen: keys and pointer go to its browser');
  overlay.setAttribute('autocapitalize', 'off');
  overlay.setAttribute('autocomplete', 'off');
  overlay.setAttribute('autocorrect', 'off');
  overlay.spellcheck = false;
  overlay.wrap = 'off';
  fill(overlay);
  Object.assign(overlay.style, {
    background: 'transparent',
    border: '0',
    caretColor: 'transparent',
    color: 'transparent',
    margin: '0',
    outline: 'none',
    overflow: 'hidden',
    padding: '0',
    resize: 'none',
    touchAction: 'none',
    userSelect: 'none',
  });

  const composed = document.createElement('output');
  composed.hidden = true;
  Object.assign(composed.style, {
    background: '#fff',
    borderBottom: '2px solid #555',
    color: '#111',
    font: '15px system-ui, sans-serif',
    left: '0',
    padding: '1px 4px',
    pointerEvents: 'none',
    position: 'absolute',
    top: '0',
    whiteSpace: 'pre',
  });

  // Right after the canvas: what its owner lays over the picture stays over it.
  canvas.after(video, composed, overlay);
  return {
    canvas,
    video,
    overlay,
    composed,
    show(what) {
      canvas.style.visibility = what === 'canvas' ? 'visible' : 'hidden';
      video.style.visibility = what === 'video' ? 'visible' : 'hidden';
    },
    remove() {
      for (const element of [video, composed, overlay]) element.remove();
    },
  };
}

function fill(element: HTMLElement): void {
  Object.assign(element.style, { display: 'block', height: '100%', inset: '0', position: 'absolute', width: '100%' });
}
