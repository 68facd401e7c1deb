import { expect, test } from 'vitest';
import { after, around, before, HELD, headOf, placeWords, STEP, tailOf, wholeLines } from './windows';

const SIZE = 200_000_000;
const bytes = (text: string) => new TextEncoder().encode(text);

test('a file opens at its end, and every step reads as much', () => {
  const tail = tailOf(SIZE);
  expect(tail).toEqual({ from: SIZE - STEP, to: SIZE });
  expect(before(tail)).toEqual({ from: SIZE - 2 * STEP, to: SIZE - STEP });
  expect(after(tail, SIZE)).toBeNull();
  expect(after(tail, SIZE + 7)).toEqual({ from: SIZE, to: SIZE + 7 });
  expect(before(headOf(SIZE))).toBeNull();
  expect(tailOf(10)).toEqual({ from: 0, to: 10 });
  expect(HELD).toBeGreaterThan(2 * STEP);
});

test('a place is shown with what stands around it', () => {
  expect(around(0, SIZE).from).toBe(0);
  expect(around(SIZE, SIZE)).toEqual({ from: SIZE - STEP, to: SIZE });
  expect(around(5, 10)).toEqual({ from: 0, to: 10 });
});

test('windows meet at whole lines', () => {
  const cut = wholeLines(bytes('lf\none\ntwo\nthr'), { from: 100, to: 114 }, 1_000, { start: true, end: true });
  expect(new TextDecoder().decode(cut.bytes)).toBe('one\ntwo\n');
  expect(cut.at).toEqual({ from: 103, to: 111 });
});

test('the edges of the file itself stay, and so does a line without an end', () => {
  const whole = wholeLines(bytes('one\ntwo'), { from: 0, to: 7 }, 7, { start: true, end: true });
  expect(whole.at).toEqual({ from: 0, to: 7 });
  const long = wholeLines(bytes('xxxx'), { from: 10, to: 14 }, 100, { start: true, end: true });
  expect(long.at).toEqual({ from: 10, to: 14 });
});

test('a window says where it stands', () => {
  expect(placeWords({ from: 199e6, to: 200e6 }, 200e6)).toBe('199.0–200.0 MB of 200.0 MB');
  expect(placeWords({ from: 0, to: 2e6 }, 2e6)).toBe('2.0 MB, all of it');
});
