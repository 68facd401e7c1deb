/** Line drawings of the bar, on a 20 × 20 grid; the same as in the interface. */
import type { Icon } from './bar';

const PATHS: Record<Icon, string> = {
  agent:
    'M6.5 6h7A2.5 2.5 0 0 1 16 8.5v4a2.5 2.5 0 0 1-2.500 2.500h-7A2.500 2.500 0 0 1 4 12.500v-4A2.500 2.500 0 0 1 6.500 6ZM10 6V3M7.500 10h.01M12.500 10h.01M8 12.500h4',
  hand: 'M6 11V5.500a1.200 1.200 0 0 1 2.400 0V9m0-4.500v-1a1.200 1.200 0 0 1 2.400 0V9m0-4.200a1.200 1.200 0 0 1 2.400 0V10m0-3a1.200 1.200 0 0 1 2.400 0v4.500a5.500 5.500 0 0 1-5.600 5.500c-2.100 0-3-1.300-4.200-3.400l-1.700-2.600a1.200 1.200 0 0 1 2-1.300Z',
  person: 'M10 3.800a3.200 3.200 0 1 0 0 6.400 3.200 3.200 0 0 0 0-6.400ZM4 17c.8-3.200 3.100-4.800 6-4.800s5.200 1.600 6 4.800',
  none: 'M10 3.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13Z',
  broken: 'M4 9.500a8.500 8.500 0 0 1 12 0M6.500 12a5 5 0 0 1 7 0M10 15h.01M3.500 3.500l13 13',
};

const SVG = 'http://www.w3.org/2000/svg';

export interface IconMark {
  element: SVGSVGElement;
  show(icon: Icon): void;
}

export function iconMark(): IconMark {
  const element = document.createElementNS(SVG, 'svg');
  const path = document.createElementNS(SVG, 'path');
  element.setAttribute('viewBox', '0 0 20 20');
  element.setAttribute('aria-hidden', 'true');
  element.append(path);
  let shown: Icon | null = null;
  return {
    element,
    show(icon) {
      if (icon !== shown) path.setAttribute('d', PATHS[icon]);
      shown = icon;
    },
  };
}
