import { describe, expect, test } from 'vitest';
import { stepText } from './step-text';
import { about, foundInStory, lineAt } from './story-find';
import { story } from './story';
import { eventsOf, type InShort } from './testing';
import { text } from './words';

const action = (step: Record<string, unknown>): InShort => ['sandbox.agent.action', { name: '', summary: '', action: step as never }];
const EVENTS = eventsOf(
  action({ navigate: 'https://portal.example/' }),
  action({ press: 'Enter' }),
  action({ scroll: {} }),
  action({ back: {} }),
  ['sandbox.network.denied', { host: 'ads.example', reason: 'not on the list' } as never],
  action({ click: { role: 'link', name: 'Invoices' } }),
);
const LINES = story(EVENTS);

describe('what is looked for in the story', () => {
  test('is found in the words that are shown, also within a run of small steps', () => {
    expect(foundInStory(LINES, ['invoices']).map((found) => found.text)).toEqual(['Clicked Invoices']);
    expect(foundInStory(LINES, ['scrolled']).map((found) => found.text)).toEqual(['Scrolled']);
    expect(foundInStory(LINES, ['navigate'])).toEqual([]);
  });
  test('is one topic, in its order', () => {
    const network = about(LINES, 'network').map((line) => (line.kind === 'line' ? text(line.words) : line.kind));
    expect(network).toEqual(['Opened portal.example', 'Was kept from ads.example']);
    expect(about(LINES, 'problems').map((line) => line.key)).toEqual([EVENTS[4]!.id]);
    expect(about(LINES, null)).toEqual(LINES);
    expect(about(LINES, 'approvals')).toEqual([]);
  });
  test('has the line of a time, and the fold that it is in', () => {
    expect(lineAt(LINES, EVENTS[5]!.at)).toEqual({ key: EVENTS[5]!.id, inFold: null });
    expect(lineAt(LINES, EVENTS[2]!.at)?.inFold).not.toBeNull();
    expect(lineAt([], 5)).toBeNull();
  });
});

describe('a step as a line of a playbook', () => {
  const cases: [Record<string, unknown>, string][] = [
    [{ click: { role: 'link', name: 'Invoices' } }, '- click: { role: link, name: Invoices }'],
    [{ click: { ref: 'e12', role: 'button', name: 'Pay: now?' } }, '- click: { role: button, name: "Pay: now?" }'],
    [{ press: 'Enter' }, '- press: Enter'],
    [{ back: {} }, '- back: {}'],
    [{ navigate: 'https://portal.example/' }, '- navigate: "https://portal.example/"'],
    [{ select: { label: 'Month', value: '2026-10' } }, '- select: { label: Month, value: "2026-10" }'],
    [{ select: { label: 'Answer', value: 'no' } }, '- select: { label: Answer, value: "no" }'],
    [{ handoff: { reason: 'mfa', until: { url: '**/invoices' } } }, '- handoff: { reason: mfa, until: { url: "**/invoices" } }'],
    [{ type: { label: 'Password' } }, '- type: { label: Password, text: "" } # text: not kept, fill it in'],
  ];
  test.each(cases)('%j', (step, line) => {
    expect(stepText(step as never)).toBe(line);
  });
});
