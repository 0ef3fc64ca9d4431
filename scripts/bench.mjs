import { enter } from './setup.mjs';

await enter('bench/main.ts');
