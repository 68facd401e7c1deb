/** Where a job went, in words. */
import type { NetworkDestination, NetworkUser } from '../types';
import { count, fileSize } from './time';

const USERS: Record<NetworkUser, string> = { browser: 'browser', commands: 'commands' };

/** Returns the destination as a person would say it: `shop.example`, `shop.example:8080`. */
export function placeOf({ host, port }: NetworkDestination): string {
  if (host === '*') return 'Further destinations';
  return port === 443 || port === 80 ? host : `${host}:${port}`;
}

/** Returns who went there and how often: `browser, 3 connections, refused 2 times`. */
export function useOf({ by, connections, refused }: NetworkDestination): string {
  const parts = [USERS[by]];
  if (connections > 0) parts.push(count(connections, 'connection'));
  if (refused > 0) parts.push(`refused ${refused === 1 ? 'once' : `${refused} times`}`);
  return parts.join(', ');
}

/** Returns all bytes of a list: `Received 1.2 MB and sent 14 kB at 3 destinations`. */
export function totalOf(destinations: readonly NetworkDestination[]): string {
  const sum = (of: (each: NetworkDestination) => number) => destinations.reduce((all, each) => all + of(each), 0);
  const places = new Set(destinations.filter((each) => each.connections > 0).map(placeOf)).size;
  return `Received ${fileSize(sum((each) => each.receivedBytes))} and sent ${fileSize(sum((each) => each.sentBytes))} at ${count(places, 'destination')}`;
}
