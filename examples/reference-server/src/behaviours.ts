/** How a demo agent takes being told to end. */
export const behaviours = ['cooperative', 'stubborn', 'forking', 'finishing', 'lingering'] as const;
export type Behaviour = (typeof behaviours)[number];

const ignore = "trap '' TERM INT HUP QUIT USR1 USR2 PIPE ALRM";
const forever = 'while :; do sleep 1; done';

/** Scripts for `sh -c`: real process trees that run until somebody ends them. */
export const scripts: Readonly<Record<Behaviour, string>> = {
  /** Ends when asked. */
  cooperative: `trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done`,
  /** Ignores every signal that can be ignored. */
  stubborn: `${ignore}; ${forever}`,
  /** Stubborn, with a child, a grandchild in a session of its own, and one whose parent is gone. */
  forking: `${ignore}; (${forever}) & (setsid sh -c "${ignore}; ${forever}" & ${forever}) & (setsid sh -c "${ignore}; ${forever}" &) ; ${forever}`,
  /** Does its work and ends by itself. */
  finishing: 'sleep 1',
  /** Ends two seconds after it is asked. */
  lingering: `trap 'sleep 2; exit 0' TERM; while :; do sleep 1 & wait $!; done`,
};
