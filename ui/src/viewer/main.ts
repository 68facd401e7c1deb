/** The page that a viewer link opens. */
import '../styles/tokens.css';
import './viewer.css';
import { admit, takeTicket } from './admission';
import { showRefusal, ViewerPage } from './page';
import type { Carrier } from '../live';

const ticket = takeTicket();
const root = document.getElementById('viewer');
if (root === null) throw new Error('the page has no place for the view');

// Another link into the same tab differs in its fragment alone, and loads nothing by itself.
addEventListener('hashchange', () => location.hash !== '' && location.reload());
followTheme();
void open(root);

async function open(place: HTMLElement): Promise<void> {
  document.body.dataset['state'] = 'connecting';
  const admitted = await admit(ticket);
  switch (admitted.kind) {
    case 'admitted':
      new ViewerPage(place, admitted.admission, forcedTransport(location.search));
      break;
    case 'refused':
    case 'unreachable':
      showRefusal(place, admitted.kind, () => void open(place));
      break;
  }
}

function forcedTransport(search: string): Carrier | null {
  const asked = new URLSearchParams(search).get('transport');
  return asked === 'webrtc' || asked === 'socket' ? asked : null;
}

function followTheme(): void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => (document.documentElement.dataset['theme'] = dark.matches ? 'dark' : 'light');
  apply();
  dark.addEventListener('change', apply);
}
