import { defineConfig } from 'vitest/config';

/** Tests run on source: packages resolve each other by the condition that only this workspace sets. */
const conditions = ['agent-killswitch-source', 'module', 'node', 'development|production'];
const onSource = { resolve: { conditions }, ssr: { resolve: { conditions } } };

export default defineConfig({
  test: {
    projects: [
      {
        ...onSource,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'scripts/**/*.test.ts', 'examples/*/src/**/*.test.ts'],
        },
      },
      {
        ...onSource,
        test: {
          name: 'integration',
          include: ['packages/*/test/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        ...onSource,
        test: {
          name: 'e2e',
          include: ['examples/*/test/**/*.test.ts', 'test/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
