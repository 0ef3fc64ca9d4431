import { singleKills } from './http/single-kills.ts';
import { stopUnderFlood } from './http/stop-under-flood.ts';
import type { Report } from './report.ts';
import { LoadProcess } from './support/load-process.ts';

/** The HTTP surface under load. Whoever sends has a process of their own, the flood another one than the operator. */
export default async function bench(report: Report): Promise<void> {
  const sender = new LoadProcess();
  const operator = new LoadProcess();
  try {
    await singleKills(report, sender);
    await stopUnderFlood(report, sender, operator);
  } finally {
    sender.close();
    operator.close();
  }
}
