import { describe, expect, test } from 'vitest';
import { pauseBefore } from './backoff';
import { choose, isLoopback } from './choose';
import type { Means } from './choose';
import { Delay } from './delay';
import { capturedAtUs } from './rtp-clock';
import { codecOf } from './sps';
import { chip } from './state';
import { whepUrl } from './webrtc-transport';
import { parseWord } from './words';

describe('the delay', () => {
  test('is half the way and the age of what is painted', () => {
    const delay = new Delay();
    expect(delay.currentMs).toBeNull();
    // The source's clock shows 5,000 s when the page's shows 1 s; the way is 2 ms long.
    delay.pong(1_000, 1_004, 5_000_000_000 + 2_000);
    expect(delay.roundTripMs).toBe(4);
    delay.painted(5_000_100_000, 1_110);
    expect(delay.currentMs).toBeCloseTo(2 + 10, 5);
  });

  test('trusts the quickest ping and the usual picture', () => {
    const delay = new Delay();
    delay.pong(0, 200, 190_000);
    delay.pong(300, 301, 300_500);
    for (const age of [10, 11, 900, 12, 9]) delay.painted(1_000_000, 1_000 + age);
    expect(delay.currentMs).toBeCloseTo(0.5 + 11, 5);
  });

  test('counts a picture that came before the first answer, and none that a new view was merely shown', () => {
    const delay = new Delay();
    delay.painted(1_000_000, 1_020);
    expect(delay.currentMs).toBeNull();
    delay.pong(1_000, 1_002, 1_001_000);
    expect(delay.currentMs).toBeCloseTo(1 + 20, 5);
    delay.reset();
    expect(delay.currentMs).toBeNull();
    delay.painted(1_000_000, 90_000);
    delay.painted(0, 90_001);
    delay.pong(90_000, 90_004, 90_002_000);
    expect(delay.currentMs).toBe(4);
  });
});

test('the capture time is found again in the RTP clock, across its wraps', () => {
  for (const us of [1_000_000, 47_721_858_844, 47_721_858_900, 3_600_000_000 * 30]) {
    const rtp = Math.floor((us * 90) / 1_000) % 2 ** 32;
    for (const ageMs of [0, 15, 5_000]) {
      expect(Math.abs(capturedAtUs(rtp, us / 1_000 + ageMs) - us)).toBeLessThan(12);
    }
  }
});

describe('the carrier', () => {
  const all: Means = { forced: null, webrtc: true, loopback: true, webrtcFailed: false };
  function check(means: Partial<Means>, expected: string) {
    expect(choose({ ...all, ...means }).carrier, JSON.stringify(means)).toBe(expected);
  }

  test('is the socket on this machine', () => check({}, 'socket'));
  test('is WebRTC from elsewhere', () => check({ loopback: false }, 'webrtc'));
  test('is the socket where WebRTC is missing or failed, whatever was asked', () => {
    check({ webrtc: false, loopback: false }, 'socket');
    check({ webrtc: false, forced: 'webrtc' }, 'socket');
    check({ webrtcFailed: true, loopback: false }, 'socket');
  });
  test('is what was asked for, where it can be', () => {
    check({ forced: 'webrtc' }, 'webrtc');
    check({ forced: 'socket', loopback: false }, 'socket');
  });
  test('always has its reason', () => {
    for (const means of [all, { ...all, webrtc: false }, { ...all, loopback: false }]) expect(choose(means).why).toMatch(/\.$/);
  });

  test('loopback is this machine and nothing that looks like it', () => {
    expect(['127.0.0.1', '127.1.2.3', 'localhost', '[::1]'].every(isLoopback)).toBe(true);
    expect(['128.0.0.1', '127.0.0.1.example.org', 'localhost.example.org', '10.0.0.1'].some(isLoopback)).toBe(false);
  });
});

test('pauses between tries grow, to a limit, and are spread', () => {
  expect([1, 2, 3, 4, 5, 6, 40].map((tries) => pauseBefore(tries, 0.5))).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
  expect(pauseBefore(1, 0)).toBeLessThan(pauseBefore(1, 0.99));
});

test('the codec is read from the sequence parameters', () => {
  expect(codecOf(new Uint8Array([0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0xda, 0, 0, 0, 1, 0x68]))).toBe('avc1.42c01f');
  expect(codecOf(new Uint8Array([0, 0, 0, 1, 9, 0x10, 0, 0, 1, 0x27, 0x42, 0xe0, 0x28, 0x8d]))).toBe('avc1.42e028');
  expect(codecOf(new Uint8Array([0, 0, 0, 1, 0x41, 1, 2, 3, 4, 5, 6]))).toBeNull();
});

test('words that are unknown or broken are passed over', () => {
  expect(parseWord('{"type":"pong","sentAt":1,"clockUs":2}')).toEqual({ type: 'pong', sentAt: 1, clockUs: 2 });
  for (const text of ['', '{', 'null', '[]', '{"type":7}', '{"type":"later"}']) expect(parseWord(text)).toBeNull();
});

test('WHEP lies beside the stream', () => {
  expect(whepUrl('ws://127.0.0.1:7/v1/sandboxes/sbx_1/stream')).toBe('http://127.0.0.1:7/v1/sandboxes/sbx_1/whep');
  expect(whepUrl('wss://x.example/v1/sandboxes/stream/stream?a=1')).toBe('https://x.example/v1/sandboxes/stream/whep?a=1');
});

test('the chip says how long and how exact', () => {
  expect(chip({ delayMs: 17.4, transport: 'exact', carrier: 'socket' })).toBe('17 ms · exact');
  expect(chip({ delayMs: 0.2, transport: 'exact', carrier: 'webrtc' })).toBe('1 ms · exact · WebRTC');
  expect(chip({ delayMs: 4, transport: 'video', carrier: 'webrtc' })).toBe('4 ms · video · WebRTC');
  expect(chip({ delayMs: null, transport: '', carrier: 'socket' })).toBe('');
});
