/** What was asked for makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const usage = `Usage: agent-killswitch-audit verify SOURCE [--key PUBLIC_KEY.pem … [--checkpoints FILE]]
       agent-killswitch-audit export SOURCE [--format jsonl|cloudevents|ocsf] [--chain NAME]
SOURCE is --database URL, or --journal PATH: a journal's file, or a directory of journals, also of those that wait in
front of a database. --key may be given several times: old keys and new. Without either the database is DATABASE_URL's. Nothing is changed.
verify ends with 0 if the record is whole, with 1 if it was changed; 2: bad arguments or checkpoints; 3: not done.
`;

/** Where the record is. */
export type Source = { readonly database: string } | { readonly journal: string };

export interface VerifyCommand {
  readonly name: 'verify';
  readonly source: Source;
  /** Files: the checkpoints, and the keys that they and the breaks are signed with. */
  readonly checkpoints?: string;
  readonly keys: readonly string[];
}

export const formats = ['jsonl', 'cloudevents', 'ocsf'] as const;

export interface ExportCommand {
  readonly name: 'export';
  readonly source: Source;
  readonly format: (typeof formats)[number];
  readonly chain?: string;
}
