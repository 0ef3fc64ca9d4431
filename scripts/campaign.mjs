import { enter } from './setup.mjs';

await enter('campaigns/main.ts');
