/** How long the server may take for what is only looked at, in milliseconds; then it counts as unreachable. */
const lookMs = 2_000;
/** A stop is answered within 5 s. */
const actMs = 8_000;
const tokenKey = 'killswitch-token';

/** What the server says instead of what was asked for, or that it says nothing: then `status` is 0. */
export class ApiError extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @type {(reachable: boolean) => void} */
let onReach = () => undefined;

/** @param {(reachable: boolean) => void} listener told after each call whether the server answered */
export function onReachable(listener) {
  onReach = listener;
}

/** The token of this tab; none is right where the service knows its callers otherwise. @param {string} token */
export function signIn(token) {
  sessionStorage.setItem(tokenKey, token);
}

export function signOut() {
  sessionStorage.removeItem(tokenKey);
}

/** @returns {Record<string, string>} */
function headers() {
  const token = sessionStorage.getItem(tokenKey);
  return {
    'X-Killswitch-Request': 'console',
    ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
  };
}

/**
 * Asks the service that serves this page.
 *
 * @param {string} method
 * @param {string} path below the router's mount point
 * @param {unknown} [body]
 * @returns {Promise<any>}
 */
export async function call(method, path, body) {
  const json = body === undefined ? {} : { 'Content-Type': 'application/json' };
  /** @type {Response} */
  let response;
  /** @type {any} */
  let answer;
  try {
    response = await fetch(addressOf(path), {
      method,
      headers: { ...headers(), ...json },
      signal: AbortSignal.timeout(method === 'GET' || path.includes('preview=true') ? lookMs : actMs),
      cache: 'no-store',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    answer = await response.json();
  } catch {
    onReach(false);
    throw new ApiError(0, 'The server does not answer');
  }
  onReach(true);
  if (!response.ok)
    throw new ApiError(response.status, [answer.detail ?? answer.title, ...(answer.issues ?? [])].join('; '));
  return answer;
}

/**
 * Server-sent events, over `fetch` because `EventSource` cannot send a token; taken up again where they broke off.
 *
 * @param {string} path
 * @param {(event: string, data: any) => void} tell each event once
 * @param {AbortSignal} signal
 * @returns {Promise<void>} when they have ended with `settled`, or the signal is given
 */
export async function listen(path, tell, signal) {
  const known = new Set();
  let lastId = '';
  while (!signal.aborted) {
    try {
      const resumed = lastId === '' ? {} : { 'Last-Event-ID': lastId };
      const response = await fetch(addressOf(path), {
        headers: { ...headers(), ...resumed },
        signal,
        cache: 'no-store',
      });
      if (!response.ok || response.body === null) throw new ApiError(response.status, 'No events');
      onReach(true);
      for await (const { id, event, data } of eventsOf(response.body)) {
        lastId = id;
        if (known.has(id)) continue;
        known.add(id);
        tell(event, data);
        if (event === 'settled') return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) onReach(false);
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

/** @param {ReadableStream<Uint8Array>} body */
async function* eventsOf(body) {
  const reader = body.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)));
      if (fields.data !== undefined)
        yield { id: fields.id, event: fields.event, data: JSON.parse(fields.data) };
    }
  }
}

/** @param {string} path */
function addressOf(path) {
  return new URL(`..${path}`, document.baseURI);
}
