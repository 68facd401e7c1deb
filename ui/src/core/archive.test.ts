import { execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { tarMembers, ZIP_END, zipDirectory, zipMembers } from './archive';

const folder = mkdtempSync(join(tmpdir(), 'archive-'));
mkdirSync(join(folder, 'in/deep'), { recursive: true });
writeFileSync(join(folder, 'in/a.txt'), 'hello');
writeFileSync(join(folder, 'in/deep/naïve.txt'), 'x'.repeat(1_000));
writeFileSync(join(folder, `in/${'n'.repeat(120)}`), '');
afterAll(() => rmSync(folder, { recursive: true }));

test('a tar that tar made is listed', () => {
  execFileSync('tar', ['-cf', 'out.tar', 'in'], { cwd: folder });
  const { members, more } = tarMembers(readFileSync(join(folder, 'out.tar')), true);
  expect(more).toBe(false);
  const sizes = Object.fromEntries(members.map((member) => [member.name, member.size]));
  expect(sizes).toEqual({ 'in/': 0, 'in/a.txt': 5, 'in/deep/': 0, 'in/deep/naïve.txt': 1000, [`in/${'n'.repeat(120)}`]: 0 });
  expect(Date.now() - members[0]!.modifiedAt!).toBeLessThan(86_400_000);
});

test('a zip that Python made is listed from its end alone', () => {
  const script = "import shutil; shutil.make_archive('out', 'zip', '.', 'in')";
  execFileSync('python3', ['-c', script], { cwd: folder });
  const bytes = readFileSync(join(folder, 'out.zip'));
  const at = zipDirectory(bytes.subarray(-ZIP_END), bytes.length)!;
  const { members } = zipMembers(bytes.subarray(at.from, at.to));
  const found = members.find((member) => member.name === 'in/deep/naïve.txt');
  expect(found).toMatchObject({ size: 1000, folder: false });
});

test('what is cut off or made up is no archive, and never throws', () => {
  expect(zipDirectory(new Uint8Array(30), 30)).toBeNull();
  const lying = new Uint8Array(22);
  new DataView(lying.buffer).setUint32(0, 0x06054b50, true);
  new DataView(lying.buffer).setUint32(16, 4_000_000_000, true);
  expect(zipDirectory(lying, 22)).toBeNull();
  expect(tarMembers(new Uint8Array(2_000).fill(65), false).more).toBe(true);
  expect(zipMembers(new Uint8Array(60).fill(1)).members).toEqual([]);
});
