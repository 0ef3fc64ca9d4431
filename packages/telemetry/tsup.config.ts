import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    'prometheus/index': 'src/prometheus/index.ts',
    'opentelemetry/index': 'src/opentelemetry/index.ts',
  },
  format: 'esm',
  removeNodeProtocol: false,
  target: 'es2024',
  dts: true,
  clean: true,
  sourcemap: true,
});
