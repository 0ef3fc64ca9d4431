#!/usr/bin/env node
import { run } from './run.ts';

// Whoever reads has heard enough: `| head`.
process.stdout.on('error', () => process.exit(3));
process.exitCode = await run(process.argv.slice(2), process.env);
