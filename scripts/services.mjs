import { enter } from './setup.mjs';

await enter('scripts/services/main.ts');
