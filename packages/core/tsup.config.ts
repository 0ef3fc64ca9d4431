import { defineConfig } from 'tsup';

export default defineConfig({
  entry: { index: 'src/index.ts', 'memory/index': 'src/memory/index.ts' },
  format: 'esm',
  removeNodeProtocol: false,
  target: 'es2024',
  dts: true,
  clean: true,
  sourcemap: true,
});
