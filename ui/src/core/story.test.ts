import { describe, expect, test } from 'vitest';
import type { ToldStep } from '../types';
import type { Event, Payload } from './event';
import { gapHead, gapTail, lastReceipt, lastSaid, story, takenRequest } from './story';
import { eventsOf, oddEventsOf, receiptWith, type InShort } from './testing';
import { sayStep, text } from './words';

/** Returns the story as one string a line. */
function told(events: Event[], mine: ReadonlySet<string> = new Set(['ho_1'])): string[] {
  return story(events, mine).map((line) => {
    switch (line.kind) {
      case 'line':
        return text(line.words) + (line.detail === null ? '' : ` | ${line.detail}`);
      case 'fold':
        return `[${line.lines.map((small) => text(small.words)).join(', ')}]`;
      case 'gap':
        return `(${gapHead(line)} ${gapTail(line)})`;
    }
  });
}

const action = (step: ToldStep, more: Partial<Payload<'sandbox.agent.action'>> = {}): InShort => [
  'sandbox.agent.action',
  { name: '', summary: '', action: step, ...more },
];

describe('a step of the playbook in words', () => {
  const cases: [ToldStep, string][] = [
    [{ navigate: 'https://www.portal.example/invoices?month=10' }, 'Opened portal.example/invoices'],
    [{ navigate: { url: 'https://portal.example/' } }, 'Opened portal.example'],
    [{ click: { role: 'link', name: 'October' } }, 'Clicked October'],
    [{ click: { selector: '#a > b' } }, 'Clicked an element'],
    [{ type: { label: 'Password', text: 'hunter2' } }, 'Filled in Password'],
    [{ type: { selector: 'input', text: 'hunter2' } }, 'Filled in a field'],
    [{ select: { label: 'Format', value: 'CSV' } }, 'Chose CSV in Format'],
    [{ press: 'Enter' }, 'Pressed Enter'],
    [{ press: { key: 'Control+A' } }, 'Pressed Control+A'],
    [{ download: { click: { role: 'button', name: 'Download' }, to: 'invoice.csv' } }, 'Downloaded invoice.csv'],
    [{ extract: { selector: 'table', to: 'invoices.json' } }, 'Read the page into invoices.json'],
    [{ exec: { command: 'python3', args: ['-c', 'print(1)\nprint(2)'] } }, 'Ran python3 -c print(1)'],
    [{ code: { language: 'python', code: '…' } }, 'Ran Python'],
    [{ write: { path: 'report.md', content: '…' } }, 'Wrote report.md'],
    [{ artifact: { path: 'report.pdf' } }, 'Saved report.pdf'],
    [{ expect: { text: 'Thank you' } }, 'Saw Thank you'],
    [{ waitFor: { url: '**/invoices' } }, 'Waited for the page “invoices”'],
    [{ back: {} }, 'Went back'],
  ];
  test.each(cases)('%j', (step, words) => {
    expect(text(sayStep(step)!.words)).toBe(words);
  });

  test('what is typed is never told', () => {
    expect(JSON.stringify(sayStep({ type: { label: 'Note', text: 'hunter2' } }))).not.toContain('hunter2');
  });

  test('a step of a newer runtime is left out, not made up', () => {
    expect(sayStep({ teleport: {} })).toBeNull();
    expect(sayStep({})).toBeNull();
    expect(sayStep(null)).toBeNull();
  });
});

describe('the story', () => {
  test('a person who is gone without handing back no longer drives', () => {
    const events = eventsOf(
      ['sandbox.handoff.accepted', { requestId: 'ho_1', controller: 'Ada' }, 'person'],
      ['sandbox.handoff.requested', { again: true }, 'system'],
    );
    expect(told(events)).toEqual([expect.stringMatching(/^\(You drove, /)]);
  });

  test('says once what an event of its own has said already', () => {
    const events = eventsOf(
      ['sandbox.file.changed', { path: 'downloads/a.csv', change: 'downloaded' }, 'agent'],
      action({ download: { click: { text: 'CSV' } } }, { path: 'downloads/a.csv' }),
      ['sandbox.artifacts.updated', { key: 'art_1', name: 'a.csv' }, 'agent'],
      action({ artifact: { path: 'downloads/a.csv' } }, { artifact: 'art_1' }),
      action({ download: { click: { text: 'CSV' }, to: 'b.csv' } }, { path: 'b.csv' }),
      action({ handoff: { reason: 'mfa', message: 'Sign in' } }),
      action({ handoff: { reason: 'mfa', message: 'Sign in' } }, { error: { message: 'the request was called off' } }),
    );
    expect(told(events)).toEqual(['Downloaded downloads/a.csv', 'Kept a.csv', 'Downloaded b.csv', 'Could not: asked you: Sign in | the request was called off']);
    const moved = eventsOf(
      ['sandbox.file.changed', { path: 'downloads/a.csv', change: 'downloaded' }, 'agent'],
      action({ download: { click: { text: 'CSV' }, to: 'kept/a.csv' } }, { path: 'kept/a.csv' }),
    );
    expect(told(moved), 'a file that was put elsewhere').toEqual(['Downloaded downloads/a.csv', 'Put it at kept/a.csv']);
  });

  test('tells each action in one line and folds runs of small ones', () => {
    const events = eventsOf(
      ['sandbox.created', {}, 'api'],
      ['sandbox.agent.task.started', { title: 'Invoices' }],
      action({ navigate: 'https://portal.example' }),
      action({ scroll: {} }),
      action({ press: 'Enter' }),
      action({ screenshot: {} }),
      action({ click: { name: 'October' } }),
    );
    expect(told(events)).toEqual([
      'Started Invoices',
      'Opened portal.example',
      '[Scrolled, Pressed Enter, Looked at the page]',
      'Clicked October',
    ]);
  });

  test('two small steps are no run', () => {
    expect(told(eventsOf(action({ scroll: {} }), action({ reload: {} })))).toEqual(['Scrolled', 'Loaded the page again']);
  });

  test('tells a person’s time as one plain gap', () => {
    const receipt = receiptWith({ signedInChanged: ['portal.example'] });
    const events = eventsOf(
      ['sandbox.handoff.requested', { message: 'Sign in' }],
      ['sandbox.handoff.accepted', { requestId: 'ho_1', controller: 'Ada' }, 'person'],
      ['sandbox.control.changed', { mode: 'human' }, 'person'],
      ['sandbox.handoff.completed', { receipt, note: null }, 'person'],
      action({ click: { name: 'October' } }),
    );
    expect(told(events)).toEqual([
      'Asked you: Sign in',
      '(You drove, 0:42. Signed in at portal.example. The agent did not see this.)',
      'Clicked October',
    ]);
  });

  test('says of another person, or another window, who drives', () => {
    const taken: InShort = ['sandbox.handoff.accepted', { requestId: 'ho_1', controller: 'Ada\u202e' }, 'person'];
    const back: InShort = ['sandbox.handoff.completed', { receipt: receiptWith() }, 'person'];
    expect(told(eventsOf(taken), new Set())).toEqual(['(Ada is driving. This part of the story stays blank.)']);
    expect(told(eventsOf(taken, back), new Set(['ho_2']))[0]).toMatch(/^\(Ada drove, 0:42\./);
    expect(takenRequest(eventsOf(taken))).toBe('ho_1');
    expect(takenRequest(eventsOf(taken, back))).toBe(null);
  });
  test('is blank while a person drives', () => {
    const events = eventsOf(['sandbox.handoff.accepted', { requestId: 'ho_1', controller: 'Ada' }, 'person']);
    expect(told(events)).toEqual(['(You are driving. This part of the story stays blank.)']);
  });

  test('a person who takes the wheel unasked did not ask himself', () => {
    const events = eventsOf(['sandbox.handoff.requested', { message: '' }, 'person'], ['sandbox.handoff.accepted', { requestId: 'ho_1', controller: 'Ada' }, 'person']);
    expect(told(events)).toHaveLength(1);
  });

  test('says what failed and why', () => {
    const events = eventsOf(
      action({ click: { name: 'October' } }, { error: { message: 'no link “October”' } }),
      ['sandbox.agent.task.failed', { error: { code: 'targetNotFound', message: 'step 2 failed' } }],
      ['sandbox.network.denied', { host: 'ads.example', port: 443, reason: 'not on the list' }, 'system'],
    );
    expect(told(events)).toEqual(['Could not: clicked October | no link “October”', 'Stopped | step 2 failed', 'Was kept from ads.example | not on the list']);
  });

  test('says that a part is back', () => {
    const events = eventsOf(
      ['sandbox.browser.failed', { message: 'the browser did not answer and was ended' }, 'system'],
      ['sandbox.recovered', { part: 'browser', cause: 'hung' }, 'system'],
      ['sandbox.recovered', { part: 'shell', cause: 'ended' }, 'system'],
    );
    expect(told(events)).toEqual([
      'The browser stopped | the browser did not answer and was ended',
      'The browser was started again, with its tabs',
      'The place for commands was started again; what ran in it has ended',
    ]);
  });

  test("the browser's own dialogs are told: what stands needs somebody, what was refused is only said", () => {
    const dialog = (data: Payload<'sandbox.browser.dialog'>): InShort => ['sandbox.browser.dialog', data, 'system'];
    const ask = { reason: 'login_failed' as const, message: 'Sign in at the site, then hand back' };
    const events = eventsOf(
      dialog({ kind: 'httpAuth', state: 'open', message: 'the site asks for a password', handoff: ask }),
      dialog({ kind: 'httpAuth', state: 'closed', message: 'the site asks for a password' }),
      dialog({ kind: 'passkey', state: 'refused', message: 'the site asked for a passkey' }),
      dialog({ kind: 'fileChooser', state: 'closed', message: 'a file chooser that was left open is closed' }),
    );
    expect(told(events)).toEqual([
      'The site asks for a password | Sign in at the site, then hand back',
      'The site asked for a passkey',
      'A file chooser that was left open is closed',
    ]);
  });

  test('keys stay the same while the story grows', () => {
    const events = eventsOf(action({ scroll: {} }), action({ reload: {} }), action({ back: {} }), action({ scroll: {} }), action({ click: { name: 'A' } }));
    const keys = (n: number) => story(events.slice(0, n)).map((line) => line.key);
    expect(keys(5).slice(0, 1)).toEqual(keys(4));
    expect(keys(4)).toEqual(keys(3));
  });

  test('an event of an unknown type, or with odd data, does no harm', () => {
    const odd = oddEventsOf(
      ['sandbox.agent.action', 'text'],
      ['sandbox.agent.action', null],
      ['sandbox.handoff.completed', { receipt: 7 }],
      ['sandbox.handoff.accepted', {}],
      ['sandbox.moon.rose', { over: 'there' }],
      ['constructor', {}],
    );
    expect(odd.map((event) => event.type === 'unknown')).toEqual([true, true, false, false, true, true]);
    expect(told([...odd, ...eventsOf(['sandbox.agent.message', { text: 'still here' }])])).toEqual(['still here']);
  });

  test('a file that is gone and a result that was deleted are told as that', () => {
    const events = eventsOf(
      ['sandbox.file.changed', { path: 'a.md', change: 'written' }, 'api'],
      ['sandbox.file.changed', { path: 'a.md', change: 'removed' }, 'api'],
      ['sandbox.artifacts.updated', { key: 'art_1', name: 'b.csv', deleted: true }, 'api'],
    );
    expect(told(events)).toEqual(['Added a.md', 'Deleted a.md', 'Deleted b.csv']);
  });
});

test('the last thing said is the newest step in words', () => {
  expect(lastSaid([])).toBeNull();
  expect(lastSaid(eventsOf(action({ navigate: 'https://a.example' }), ['sandbox.control.changed']))).toBe('Opened a.example');
});

test('the receipt is that of the newest hand-back after an event', () => {
  const events = eventsOf(
    ['sandbox.handoff.completed', { receipt: receiptWith({ inputs: 1 }) }, 'person'],
    ['sandbox.handoff.completed', { receipt: receiptWith({ inputs: 2 }) }, 'person'],
  );
  expect(lastReceipt(events, 0)?.inputs).toBe(2);
  expect(lastReceipt(events, 1)?.inputs).toBe(2);
  expect(lastReceipt(events, 2)).toBeNull();
});

describe('what a program does', () => {
  test('is told under its name, with the names of elements', () => {
    const click = { name: 'click', action: { click: { ref: 'e5' } }, summary: 'clicked button "Save"' };
    expect(told(eventsOf(['sandbox.agent.action', click, 'api']))).toEqual(['A program: clicked button "Save"']);
    expect(told(eventsOf(['sandbox.agent.action', click, 'agent']))).toEqual(['Clicked button "Save"']);
    expect(told(eventsOf(['sandbox.agent.action', { action: { click: { role: 'link', name: 'October' } } }, 'api']))).toEqual(['A program: clicked October']);
  });
  test('by a reference that nobody named is an element all the same', () => {
    expect(told(eventsOf(['sandbox.agent.action', { action: { click: { ref: 'e5' } } }, 'agent']))).toEqual(['Clicked an element']);
  });
});
