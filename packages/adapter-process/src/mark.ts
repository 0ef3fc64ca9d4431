import { idSchema } from '@agent-killswitch/core';

/** The environment variable that names the agent; every descendant inherits it unless it is removed on the way. */
export const markVariable = 'AGENT_KILLSWITCH_AGENT_ID';

const prefix = `${markVariable}=`;

/** The agent named in the text of `/proc/<pid>/environ`. Of several the first counts, as it does for getenv(3). */
export function markIn(environ: string): string | undefined {
  const start = environ.startsWith(prefix) ? 0 : environ.indexOf(`\0${prefix}`) + 1;
  if (start === 0 && !environ.startsWith(prefix)) return undefined;
  const end = environ.indexOf('\0', start);
  const value = environ.slice(start + prefix.length, end === -1 ? undefined : end);
  return idSchema.safeParse(value).success ? value : undefined;
}
