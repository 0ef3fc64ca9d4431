import { z } from 'zod';
import { parseInput } from './input.ts';
import type { Clock } from './ports/clock.ts';
import type { Page, PageRequest } from './ports/state-store.ts';
import { Turns } from './turns.ts';

const pageSize = 1_000;
const pageSchema = z.object({ limit: z.number().int().min(1).max(10_000), cursor: z.string().optional() });

/** The page that a caller asks for. @throws InvalidInputError */
export function pageOf(given: unknown): PageRequest {
  const { limit, cursor } = parseInput('page', pageSchema, given);
  return cursor === undefined ? { limit } : { limit, cursor };
}

/**
 * The pages of a listing, one after the other, until there is none left. Each is asked for when it is needed, and between them
 * others have their turn.
 */
export async function* pagesOf<T>(
  clock: Clock,
  list: (request: PageRequest) => Promise<Page<T>>,
): AsyncGenerator<readonly T[]> {
  const turns = new Turns(clock);
  let cursor: string | undefined;
  do {
    const page = await list(cursor === undefined ? { limit: pageSize } : { limit: pageSize, cursor });
    yield page.items;
    cursor = page.cursor;
    if (cursor !== undefined) await turns.give();
  } while (cursor !== undefined);
}

/**
 * Gives `take` the pages of a listing one after the other, until there is none left or it says that it wants no more. The next page
 * is on its way while it is at work on one; what fails ahead is thrown when its turn comes.
 */
export async function takePages<T>(
  clock: Clock,
  list: (request: PageRequest) => Promise<Page<T>>,
  take: (items: readonly T[]) => Promise<'more' | 'enough'>,
): Promise<void> {
  const turns = new Turns(clock);
  let next: Promise<Page<T>> | undefined = list({ limit: pageSize });
  while (next !== undefined) {
    const { items, cursor }: Page<T> = await next;
    next = cursor === undefined ? undefined : list({ limit: pageSize, cursor });
    // Nobody waits for it yet, and perhaps nobody ever will.
    next?.catch(() => undefined);
    if (items.length > 0 && (await take(items)) === 'enough') return;
    if (next !== undefined) await turns.give();
  }
}
