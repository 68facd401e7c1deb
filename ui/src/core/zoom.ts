/** How large the picture of a sandbox's screen is shown: fitted to the stage, or at a scale that the person chose. */

export type Zoom = { kind: 'fit' } | { kind: 'scale'; scale: number };

export const FIT: Zoom = { kind: 'fit' };
export const WHOLE: Zoom = { kind: 'scale', scale: 1 };

interface Size {
  width: number;
  height: number;
}

export interface Shown extends Size {
  scale: number;
  /** What of the stage the picture leaves empty; 0 where it fills or overflows it. */
  rest: { right: number; bottom: number };
  /** Whether parts lie outside the stage and are panned to. */
  pans: boolean;
}

const STEPS = [0.25, 0.33, 0.5, 0.67, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3];
/** So few pixels are nobody's loss: text stays sharp at 1:1. */
const NEARLY = 12;

/** Returns how a screen is shown in a stage, from its top left. Both in CSS pixels. */
export function shownAt(zoom: Zoom, screen: Size, stage: Size): Shown {
  const scale = zoom.kind === 'scale' ? zoom.scale : fitScale(screen, stage);
  const width = Math.round(screen.width * scale);
  const height = Math.round(screen.height * scale);
  const rest = { right: Math.max(0, stage.width - width), bottom: Math.max(0, stage.height - height) };
  return { width, height, scale, rest, pans: width > stage.width || height > stage.height };
}

/** Returns the next step in a direction from what is shown now. */
export function zoomed(now: number, direction: 'in' | 'out'): Zoom {
  const next = direction === 'in' ? STEPS.find((step) => step > now + 0.005) : STEPS.findLast((step) => step < now - 0.005);
  return { kind: 'scale', scale: next ?? (direction === 'in' ? STEPS.at(-1)! : STEPS[0]!) };
}

/** What a key means for the zoom; `null` for none. */
export function zoomKey(key: string): 'in' | 'out' | 'fit' | 'whole' | null {
  switch (key) {
    case '+':
    case '=':
      return 'in';
    case '-':
      return 'out';
    case '0':
      return 'fit';
    case '1':
      return 'whole';
    default:
      return null;
  }
}

/** Returns the scale in words: `75 %`. */
export function percent(scale: number): string {
  return `${Math.round(scale * 100)} %`;
}

function fitScale(screen: Size, stage: Size): number {
  if (screen.width <= 0 || screen.height <= 0 || stage.width <= 0 || stage.height <= 0) return 1;
  const spare = { width: stage.width - screen.width, height: stage.height - screen.height };
  const isNearly = Math.min(spare.width, spare.height) >= 0 && Math.min(spare.width, spare.height) <= NEARLY;
  return isNearly ? 1 : Math.min(stage.width / screen.width, stage.height / screen.height);
}
