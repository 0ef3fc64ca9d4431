import { enter } from '../../scripts/setup.mjs';

await enter('examples/many-hosts/src/main.ts');
