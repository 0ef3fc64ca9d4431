import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/index.ts'],
  format: 'esm',
  removeNodeProtocol: false,
  target: 'es2024',
  dts: true,
  clean: true,
  sourcemap: true,
});
