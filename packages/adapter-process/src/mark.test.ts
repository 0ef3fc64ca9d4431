import { expect, it } from 'vitest';
import { markIn } from './mark.ts';

const mark = 'AGENT_KILLSWITCH_AGENT_ID';

it.each([
  [`${mark}=a1\0PATH=/bin\0`, 'a1'],
  [`PATH=/bin\0${mark}=a:b@c\0`, 'a:b@c'],
  [`PATH=/bin\0${mark}=a1`, 'a1'],
  [`${mark}=first\0${mark}=second\0`, 'first'],
  [`PATH=/bin\0`, undefined],
  ['', undefined],
  [`X=${mark}=a1\0`, undefined],
  [`X${mark}=a1\0`, undefined],
  [`${mark}=\0`, undefined],
  [`${mark}=../etc\0`, undefined],
  [`${mark}=__proto__\0`, undefined],
])('finds the mark in %j', (environ, agentId) => {
  expect(markIn(environ)).toBe(agentId);
});
