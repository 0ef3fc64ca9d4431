import { expect, it } from 'vitest';
import { isNoSuchContainer } from './engine-error.ts';

const id = '0123456789abcdef'.repeat(4);
const other = 'fedcba9876543210'.repeat(4);
/** As dockerode throws it. */
const thrown = (message: unknown, statusCode = 404, json: unknown = { message }): Error =>
  Object.assign(new Error('(HTTP code 404) no such container'), { statusCode, json });

it.each([
  // Docker, daemon/errors.go; 1.13 and newer.
  `No such container: ${id}`,
  `Cannot kill container: ${id}: No such container: ${id}`,
  // Podman, libpod: sqlite and bolt, by name or id, and by id alone.
  `no container with name or ID "${id}" found: no such container`,
  `no container with name or ID ${id} found: no such container`,
  `no container with ID ${id} found in database: no such container`,
  `container ${id} does not exist in database: no such container`,
])('%s', (message) => expect(isNoSuchContainer(thrown(message), id)).toBe(true));

it.each([
  '',
  'page not found',
  'No such container',
  `No such container: ${id.slice(0, 12)}`,
  `No such container: ${id}0`,
  `No such container: ${other}`,
  `No such container: ${id}/json`,
  `No such image: ${id}`,
  `no such file ${id}`,
  `no container with name or ID "${other}" found: no such container`,
  `no container with name or ID "x${id}" found: no such container`,
  [`No such container: ${id}`],
  undefined,
])('not: %s', (message) => expect(isNoSuchContainer(thrown(message), id)).toBe(false));

it.each([
  thrown(`No such container: ${id}`, 500),
  thrown('', 404, `No such container: ${id}`),
  thrown('', 404, null),
  thrown('', 404, { error: `No such container: ${id}` }),
  new Error(`No such container: ${id}`),
  undefined,
])('not: another status or shape', (odd) => expect(isNoSuchContainer(odd, id)).toBe(false));
