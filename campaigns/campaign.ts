/** What a file `campaigns/<name>.campaign.ts` exports as default: rounds of chance against one promise. */
export interface Campaign {
  readonly name: string;
  /** One line for `--list`. */
  readonly summary: string;
  readonly defaultRounds: number;
  /** Rounds of the short run that belongs to the tests; it should take a few seconds. */
  readonly testRounds: number;
  run(options: CampaignOptions): Promise<CampaignResult>;
}

export interface CampaignOptions {
  readonly rounds: number;
  /** 0 to 2^32 - 1. All chance comes from it. */
  readonly seed: number;
  /** Tells people how far it is; goes to stderr. */
  readonly log: (line: string) => void;
}

export interface CampaignResult {
  /** One text per broken promise, with what is needed to see it again. */
  readonly violations: readonly string[];
  /** How often each kind of fault was really inflicted. All of them 0 means that nothing was tried. */
  readonly faultsFired: Readonly<Record<string, number>>;
}

/** What a run comes to: the JSON line on stdout. */
export interface CampaignLine {
  readonly campaign: string;
  readonly rounds: number;
  readonly violations: number;
  readonly faultsFired: Readonly<Record<string, number>>;
  readonly seed: number;
  readonly seconds: number;
}

/** Kinds of fault that a run declares and never inflicted. A campaign that tried nothing has proved nothing. */
export function unfired({ faultsFired }: CampaignResult): string[] {
  const kinds = Object.entries(faultsFired);
  if (kinds.length === 0) return ['any'];
  return kinds.filter(([, times]) => times === 0).map(([kind]) => kind);
}
