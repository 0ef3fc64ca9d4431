import { idSchema } from '@agent-killswitch/core';
import { z } from 'zod';

const mebibyte = 1024 * 1024;

/** What `sandbox()` takes. */
export const sandboxOptionsSchema = z.strictObject({
  agentId: idSchema,
  /** An image that the engine has. */
  image: z.string().min(1).max(500),
  /** Default: the image's own. */
  command: z.array(z.string()).min(1).optional(),
  /** Environment variables. */
  env: z.record(z.string().regex(/^[^=\0]+$/), z.string().regex(/^[^\0]*$/)).default({}),
  workingDir: z.string().startsWith('/').optional(),
  /** For example `1000:1000`. Default: the image's own. */
  user: z.string().min(1).optional(),
  /** Default 512 MiB; swap is not added to it. */
  memoryBytes: z
    .number()
    .int()
    .min(6 * mebibyte)
    .default(512 * mebibyte),
  /** How many processors' worth of time. Default 1. */
  cpus: z.number().min(0.01).max(1_024).default(1),
  /** How many processes and threads. Default 256. */
  pidsLimit: z.number().int().min(1).max(4_194_304).default(256),
  /** Its file system can only be read, apart from `tmpfs` and `binds`. Default `false`. */
  readOnlyRoot: z.boolean().default(false),
  /** Folders in memory: path → options, for example `{ '/tmp': 'size=64m' }`. */
  tmpfs: z.record(z.string().startsWith('/'), z.string()).default({}),
  /** Folders of the engine's machine: `/host/path:/container/path[:ro]`. */
  binds: z.array(z.string().regex(/^\/[^:]*:\/[^:]*(?::[a-zA-Z,]+)?$/)).default([]),
  /** Default: the engine's. `none` has no network. */
  networkMode: z.string().min(1).optional(),
  /** Besides those by which the killswitch finds it. */
  labels: z.record(z.string(), z.string()).default({}),
});
export type SandboxOptions = z.input<typeof sandboxOptionsSchema>;
export type SandboxSettings = z.infer<typeof sandboxOptionsSchema>;

/** The body of the engine's create request. */
export function createOptions(settings: SandboxSettings, labels: Readonly<Record<string, string>>): object {
  const { image, command, env, workingDir, user, memoryBytes, cpus, pidsLimit, networkMode } = settings;
  return {
    Image: image,
    ...(command === undefined ? {} : { Cmd: command }),
    ...(workingDir === undefined ? {} : { WorkingDir: workingDir }),
    ...(user === undefined ? {} : { User: user }),
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    Labels: { ...settings.labels, ...labels },
    HostConfig: {
      Memory: memoryBytes,
      MemorySwap: memoryBytes,
      NanoCpus: Math.round(cpus * 1e9),
      PidsLimit: pidsLimit,
      ReadonlyRootfs: settings.readOnlyRoot,
      SecurityOpt: ['no-new-privileges'],
      RestartPolicy: { Name: 'no' },
      Tmpfs: settings.tmpfs,
      Binds: settings.binds,
      ...(networkMode === undefined ? {} : { NetworkMode: networkMode }),
    },
  };
}
