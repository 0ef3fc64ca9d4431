/** How long the server may take for what is only looked at, and for what is done, in milliseconds. */
const lookMs = 5_000;
const actMs = 8_000;
const tokenKey = 'killswitch-token';

/** What the server says instead of what was asked for, or that it says nothing: then `status` is 0. */
export class ApiError extends Error {
  /** @param {number} status @param {string} message @param {string} [code] of the problem, if it is one of ours */
  constructor(status, message, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** That the server is silent is said once, above every view. @param {unknown} error */
export function isSilence(error) {
  return error instanceof ApiError && error.status === 0;
}

/** The token of this tab; none is right where the service knows its callers otherwise. @param {string} token */
export function signIn(token) {
  sessionStorage.setItem(tokenKey, token);
}

/** Forgets the token. @returns {boolean} whether there was one */
export function signOut() {
  const was = sessionStorage.getItem(tokenKey) !== null;
  sessionStorage.removeItem(tokenKey);
  return was;
}

/** @returns {Record<string, string>} */
export function credentials() {
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
 * @param {{ body?: unknown, headers?: Record<string, string>, patienceMs?: number }} [more]
 * @returns {Promise<any>}
 */
export async function call(method, path, { body, headers = {}, patienceMs } = {}) {
  const isLook = method === 'GET' || path.includes('preview=true');
  /** @type {Response} */
  let response;
  /** @type {any} */
  let answer;
  try {
    response = await fetch(addressOf(path), {
      method,
      headers: {
        ...credentials(),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      signal: AbortSignal.timeout(patienceMs ?? (isLook ? lookMs : actMs)),
      cache: 'no-store',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    answer = await response.json();
  } catch {
    throw new ApiError(0, 'The server does not answer');
  }
  if (!response.ok) throw faultOf(response.status, answer);
  // Something in between, or something else, that knows nothing of what is asked.
  if (typeof answer !== 'object' || answer === null) throw new ApiError(0, 'The server does not answer');
  return answer;
}

/** @param {number} status @param {any} answer */
function faultOf(status, answer) {
  const { detail, title, issues, code } = answer ?? {};
  const words = [detail ?? title ?? `HTTP ${status}`, ...(Array.isArray(issues) ? issues : [])];
  return new ApiError(status, words.join('; '), code);
}

/** @param {string} path */
export function addressOf(path) {
  return new URL(`..${path}`, document.baseURI);
}
