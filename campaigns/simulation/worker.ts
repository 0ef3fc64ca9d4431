import { parentPort } from 'node:worker_threads';
import { playShift, type Shift } from './shift.ts';

/** A thread that plays the shifts that it is sent, and answers each with its result. */
parentPort?.on('message', async (shift: Shift) => {
  parentPort?.postMessage(await playShift(shift));
});
