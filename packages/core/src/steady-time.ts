/** How much slower than real time goes on that is ahead of the wall clock, until that has caught up. */
const slew = 0.05;

/**
 * Wall-clock time that never goes back. When the machine's clock is set back, deadlines that were given as times must not
 * move away with it (I1): time goes on from where it was, a twentieth slower, until the wall clock has caught up. A clock
 * that is set forward is followed at once.
 * @param wall milliseconds since the Unix epoch, as the machine has it
 * @param monotonic milliseconds since any moment, never set
 */
export function steadyTime(wall: () => number, monotonic: () => number): () => number {
  let last = Number.NEGATIVE_INFINITY;
  let lastRead = 0;
  return () => {
    const read = monotonic();
    const elapsed = Math.max(0, read - lastRead);
    lastRead = read;
    // An ordinary wall clock lies ahead of this, since it goes faster.
    last = Math.max(wall(), last + elapsed * (1 - slew));
    return Math.floor(last);
  };
}
