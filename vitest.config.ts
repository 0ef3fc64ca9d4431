import { configDefaults, defineConfig } from 'vitest/config';

/**
 * Tests run on source: packages resolve each other by the condition that only this workspace sets. All else is as Node has it:
 * what packages keep under `module` is for bundlers, and Node cannot load it.
 */
const conditions = ['agent-killswitch-source', 'node', 'development|production'];
const onSource = { resolve: { conditions }, ssr: { resolve: { conditions } } };

/** They look through the whole machine's processes, or fill it with them, or its processors: not beside each other. */
const alone = [
  'test/{built-packages,campaigns}.test.ts',
  'packages/adapter-process/test/adoption*.test.ts',
  'packages/adapter-process/test/hostile-trees.test.ts',
  'packages/adapter-process/test/crowd.test.ts',
  'packages/adapter-docker/test/hostile.test.ts',
];

/** The projects run one after the other, so that a build among the last does not slow down what is timed before it. */
export default defineConfig({
  test: {
    projects: [
      {
        ...onSource,
        test: {
          name: 'unit',
          include: ['{packages,examples}/*/src/**/*.test.ts', '{scripts,bench,campaigns}/**/*.test.ts'],
          maxWorkers: 2,
        },
      },
      {
        ...onSource,
        test: {
          name: 'integration',
          include: ['packages/*/test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...alone],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          // Most of their time they wait: for an engine, a disk, a deadline.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // The same tests of the mapping, once more, on the older Express.
        resolve: { conditions, alias: { express: 'express4' } },
        ssr: { resolve: { conditions } },
        test: {
          name: 'express-4',
          include: ['packages/express-router/test/{bad-input,events,router,strangers,views}.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        ...onSource,
        test: {
          name: 'e2e',
          include: ['examples/*/test/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...alone],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        ...onSource,
        test: {
          name: 'alone',
          include: alone,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
