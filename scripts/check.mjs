import { enter } from './setup.mjs';

await enter('scripts/checking/main.ts');
