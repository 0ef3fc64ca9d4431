import { enter } from '../../scripts/setup.mjs';

await enter('examples/sessions/src/main.ts');
