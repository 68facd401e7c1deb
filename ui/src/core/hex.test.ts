import { expect, test } from 'vitest';
import { hexRows } from './hex';

test('bytes stand in rows with their place and what they spell', () => {
  const bytes = new Uint8Array([...Array.from({ length: 16 }, (_, i) => 0x41 + i), 0, 255]);
  expect(hexRows(bytes, 0x200)).toEqual([
    { at: '00000200', bytes: '41 42 43 44 45 46 47 48  49 4a 4b 4c 4d 4e 4f 50', text: 'ABCDEFGHIJKLMNOP' },
    { at: '00000210', bytes: '00 ff', text: '··' },
  ]);
});
