import { describe, test } from 'vitest';

/**
 * A suite that talks to a real service: `describe` with its URL if the variable names one; a loud failure under CI and
 * a named skip elsewhere if not. Its file says `@services <name>` in a comment, so that `npm test` starts it.
 */
export function withService(name: string, variable: string, suite: (url: string) => void): void {
  const url = process.env[variable];
  if (url !== undefined && url !== '') {
    describe(name, () => suite(url));
  } else if (/^(true|1)$/i.test(process.env.CI ?? '')) {
    test(`${name} is there under CI`, () => {
      throw new Error(`${variable} is not set: run through npm test, which starts ${name}`);
    });
  } else {
    describe.skip(`${name} (skipped: ${variable} is not set; npm test starts it)`, () => suite(''));
  }
}
