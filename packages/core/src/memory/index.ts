export { type ManualClock, manualClock } from './manual-clock.ts';
export { type MemoryAudit, memoryAudit } from './memory-audit.ts';
export { type MemoryBehaviour, type MemoryRuntime, memoryRuntime } from './memory-runtime.ts';
export { memoryState } from './memory-state.ts';
