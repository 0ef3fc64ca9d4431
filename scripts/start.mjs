import { enter } from './setup.mjs';

await enter('examples/reference-server/src/main.ts');
