import { enter } from './setup.mjs';

await enter('scripts/building/main.ts');
