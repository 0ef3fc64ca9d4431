import { join } from 'node:path';
import { build } from 'vite';
import { sourceCondition } from '../../scripts/lib/workspace.ts';

/** `browser-kill.ts` and all it needs as one script for a page, and every module that was asked for on the way. */
export async function browserBundle(): Promise<{ code: string; asked: readonly string[] }> {
  const asked: string[] = [];
  const built = await build({
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: [sourceCondition, 'module', 'browser', 'production'] },
    plugins: [
      {
        name: 'imports-asked-for',
        enforce: 'pre',
        resolveId(id) {
          asked.push(id);
          return null;
        },
      },
    ],
    build: {
      write: false,
      minify: false,
      lib: {
        entry: join(import.meta.dirname, 'browser-kill.ts'),
        formats: ['iife'],
        name: 'agentKillswitch',
      },
    },
  });
  const [bundle] = [built].flat();
  if (bundle === undefined || !('output' in bundle)) throw new Error('Vite built nothing');
  const code = bundle.output.map((chunk) => ('code' in chunk ? chunk.code : '')).join('\n');
  return { code, asked };
}
