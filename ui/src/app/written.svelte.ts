/** Code that a person wrote and has not thrown away: kept for this session of the page, whatever is shown meanwhile. */
import type { CodeLanguage } from '../types';

export const written = $state<{ language: CodeLanguage; code: string }>({ language: 'python', code: '' });
