export { type KillswitchMetrics, killswitchMetrics, type MetricsOptions } from './killswitch-metrics.ts';
