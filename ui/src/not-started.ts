/** The window of a start that came to nothing: the shell leaves the reason in a global before the page runs. */
import './styles/tokens.css';
import './styles/base.css';
import './styles/not-started.css';

const why = (globalThis as { batonNotStarted?: unknown }).batonNotStarted;
document.querySelector('#why')!.textContent = typeof why === 'string' ? why : 'The reason is not known.';
if (matchMedia('(prefers-color-scheme: dark)').matches) document.documentElement.dataset.theme = 'dark';
