import type { PartitionHead } from './audit-sink.ts';

/** What of a record is to be checked, and for how long. */
export interface VerificationRequest {
  /** Only the chains that have events of this workspace, whatever else they have. Default: every chain. */
  readonly workspaceId?: string;
  /** Goes on behind this record, up to which an earlier check has come: its `upTo`. Default: from the beginning. */
  readonly after?: PartitionHead;
  /** Stops after about so many milliseconds, one record checked at the least. Default: never. */
  readonly forMs?: number;
}

interface Checked {
  /** How many records were checked, without those of an earlier check. */
  readonly count: number;
  /** The last record that is as it should be; absent where there is none. */
  readonly upTo?: PartitionHead;
  /**
   * Whether the chains were also held against ends of theirs that are kept elsewhere. If not, a chain that was cut off at
   * its end, or written anew, looks whole.
   */
  readonly isAnchored: boolean;
}

/** What a check of a sink's own record has found. */
export type Verification = Checked &
  (
    | {
        readonly ok: true;
        /** Whether it came to the end. If not, go on with `after: upTo`. */
        readonly isComplete: boolean;
      }
    | {
        readonly ok: false;
        /** The first bad record: where it should stand. */
        readonly at: { readonly partition: string; readonly seq: number; readonly eventId?: string };
        /** One word: what is wrong with it. */
        readonly fault: string;
      }
  );
