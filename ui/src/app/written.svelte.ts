/** Code that a person wrote and has not thrown away: kept for this session of the page, whatever is shown meanwhile. */
import type { Language } from '../core/code';

export const written = $state<{ language: Language; code: string }>({ language: 'python', code: '' });
