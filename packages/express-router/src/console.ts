import { readFileSync } from 'node:fs';
import { InvalidConfigurationError } from '@agent-killswitch/core';
import type { Router } from 'express';
import { z } from 'zod';

/** What the console shows beside what the killswitch knows. */
export interface ConsoleOptions {
  /** A command that stops every agent when this service does not answer; shown then, for copying. */
  readonly outOfBand?: string;
  /** Buttons that start agents, for demonstrations: what is posted, where, below the mount point. */
  readonly demo?: readonly { readonly label: string; readonly path: string; readonly body: object }[];
}

const optionsSchema = z.strictObject({
  outOfBand: z.string().optional(),
  demo: z
    .array(z.strictObject({ label: z.string(), path: z.string(), body: z.record(z.string(), z.json()) }))
    .optional(),
});

/** Only what is in this table is served; all of it holds no data, and so is for everybody. */
const files: Readonly<Record<string, string>> = {
  'index.html': 'text/html',
  'console.css': 'text/css',
  'views.css': 'text/css',
  'banners.css': 'text/css',
  'icon.svg': 'image/svg+xml',
  ...Object.fromEntries(
    [
      ...[
        'main',
        'routes',
        'options',
        'dom',
        'keyed',
        'pace',
        'api',
        'events',
        'places',
        'heartbeat',
        'health',
      ],
      ...['status', 'latch', 'killed-tasks', 'dialogs', 'views/tasks', 'views/task-cards', 'views/order'],
      ...['views/timeline', 'views/orders', 'views/record', 'views/verify', 'views/release', 'views/sign-in'],
    ].map((name) => [`${name}.js`, 'text/javascript']),
  ),
};

const headers = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  'Cache-Control': 'no-cache',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/** Serves the console's page at `/console/`. @throws InvalidConfigurationError listing every fault in the options. */
export function addConsole(router: Router, options: ConsoleOptions): void {
  const parsed = optionsSchema.safeParse(options);
  if (!parsed.success) throw new InvalidConfigurationError(parsed.error.issues.map(faultOf));
  const given = JSON.stringify(parsed.data);
  router.get('/console', (request, response, next) => {
    // Files are found beside the page only if its address ends with a slash.
    if (request.path.endsWith('/')) next();
    else response.redirect(308, `${request.baseUrl}/console/`);
  });
  for (const [name, type] of Object.entries(files)) {
    const text = readFileSync(new URL(`../console/${name}`, import.meta.url), 'utf8');
    const body =
      name === 'index.html' ? text.replace('content=""', () => `content="${escaped(given)}"`) : text;
    const paths = name === 'index.html' ? ['/console/', '/console/index.html'] : [`/console/${name}`];
    router.get(paths, (_request, response) => {
      response.set({ ...headers, 'Content-Type': `${type}; charset=utf-8` }).send(body);
    });
  }
}

function faultOf({ path, message }: z.core.$ZodIssue): string {
  return `${['console', ...path].map(String).join('.')}: ${message}`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
