/** What was asked for makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const usage = `Usage: agent-killswitch-audit verify [--database URL] [--key PUBLIC_KEY.pem [--checkpoints FILE]]
       agent-killswitch-audit export [--database URL] [--format jsonl|cloudevents|ocsf] [--chain NAME]
URL is otherwise taken from DATABASE_URL. verify ends with 0 if the record is whole, with 1 if it was changed.
`;

export interface VerifyCommand {
  readonly name: 'verify';
  readonly database: string;
  /** Files: the checkpoints, and the key that they and the breaks are signed with. */
  readonly checkpoints?: string;
  readonly key?: string;
}

export const formats = ['jsonl', 'cloudevents', 'ocsf'] as const;

export interface ExportCommand {
  readonly name: 'export';
  readonly database: string;
  readonly format: (typeof formats)[number];
  readonly chain?: string;
}
