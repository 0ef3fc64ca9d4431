/** Nothing is born of the shell before it joins, and where it cannot join it ends without running anything. */
const script = 'echo $$ > "$0/cgroup.procs" && exec "$@"';

/** What to start so that it joins the cgroup and then becomes the program: one process, with one pid and start time. */
export function joinCgroup(
  folder: string,
  program: string,
  args: readonly string[],
): [file: string, args: readonly string[]] {
  return ['/bin/sh', ['-c', script, folder, program, ...args]];
}
