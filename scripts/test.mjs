import { enter } from './setup.mjs';

await enter('scripts/testing/main.ts');
