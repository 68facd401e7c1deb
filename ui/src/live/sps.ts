/** What an Annex B access unit says about itself. */

const NAL_SPS = 7;

/** Returns the codec string of the access unit's sequence parameters, such as `avc1.42c01f`; `null` without any. */
export function codecOf(accessUnit: Uint8Array): string | null {
  // Start code 00 00 01, then the NAL header, then profile, constraints and level.
  for (let at = 0; at + 6 < accessUnit.length; at++) {
    if (accessUnit[at] !== 0 || accessUnit[at + 1] !== 0 || accessUnit[at + 2] !== 1) continue;
    if ((accessUnit[at + 3]! & 0x1f) !== NAL_SPS) continue;
    return `avc1.${hex(accessUnit[at + 4]!)}${hex(accessUnit[at + 5]!)}${hex(accessUnit[at + 6]!)}`;
  }
  return null;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
