import type { AuditSink } from '@agent-killswitch/core';
import type { Life } from './life.ts';
import { perform } from './port-call.ts';
import type { World } from './world.ts';

/** A host's audit sink over a bad network. What arrives twice is the sink's own to tell apart. */
export function watchedSink(world: World, life: Life): AuditSink {
  const sink = world.sinks.get(life.hostId);
  if (sink === undefined) throw new Error(`${life.hostId} has no sink`);
  return {
    append: (events) =>
      perform(world, life, {
        port: 'sink',
        what: `sink.append ${events.map(({ type }) => type)}`,
        effect: async () => {
          await sink.append(events);
          world.history.recorded(events);
          if (!world.faults.strikes('sink: repeated batch')) return;
          world.trace(life.name, 'its batch arrives twice');
          await sink.append(events);
        },
      }),
    read: (query) => readThrough(world, life, sink, query),
    heads: () => perform(world, life, { port: 'sink', what: 'sink.heads', effect: () => sink.heads() }),
  };
}

async function* readThrough(
  world: World,
  life: Life,
  sink: AuditSink,
  query: Parameters<AuditSink['read']>[0],
): ReturnType<AuditSink['read']> {
  const records = await perform(world, life, {
    port: 'sink',
    what: 'sink.read',
    effect: async () => {
      world.history.readings.push({ ...world.history.moment(), life });
      const all = [];
      for await (const record of sink.read(query)) all.push(record);
      return all;
    },
  });
  yield* records;
}
