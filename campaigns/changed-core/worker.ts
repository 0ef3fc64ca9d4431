import { parentPort } from 'node:worker_threads';
import { type Job, work } from './job.ts';

/** A thread that does the jobs that it is sent, and answers each with its result. */
parentPort?.on('message', async (job: Job) => {
  parentPort?.postMessage(await work(job));
});
