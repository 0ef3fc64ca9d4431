export { type TraceOptions, traceStops } from './trace-stops.ts';
