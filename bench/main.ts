import { pathToFileURL } from 'node:url';
import { namedFiles } from '../scripts/lib/named-files.ts';
import { type Bench, breaksLimit, type Figure, reported, table } from './report.ts';

const benches = namedFiles(import.meta.dirname, '.bench.ts');
const [name, ...rest] = process.argv.slice(2);
const file = name === undefined ? undefined : benches.get(name);
if (name === '--list' && rest.length === 0) {
  for (const known of benches.keys()) process.stdout.write(`${known}\n`);
} else if (file === undefined || rest.length > 0) {
  const known = [...benches.keys()].join(', ');
  process.stderr.write(`Usage: npm run --silent bench -- NAME (or --list); there are ${known}\n`);
  process.exitCode = 2;
} else {
  const figures = await measure(file);
  if (figures.length === 0) process.stderr.write(`bench ${name} reported nothing\n`);
  else process.stderr.write(`${table(figures)}\n`);
  if (figures.length === 0 || figures.some(breaksLimit)) process.exitCode = 1;
}

/** Runs a bench; its figures go to stdout as they come. */
async function measure(path: string): Promise<Figure[]> {
  const { default: bench } = (await import(pathToFileURL(path).href)) as { default: Bench };
  const figures: Figure[] = [];
  await bench((figure) => {
    process.stdout.write(`${JSON.stringify(reported(figure))}\n`);
    figures.push(figure);
  });
  return figures;
}
