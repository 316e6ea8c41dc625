import { BoxwrightError } from '../errors.js';

/** A connection that broke or a server that is busy: what may work in a moment. */
export class Interrupted extends Error {}

/** Redirects that are followed; servers of files need one or two. */
const mostRedirects = 5;

/** Answers that a server gives when it may do better in a moment. */
const passing: readonly number[] = [408, 425, 429, 500, 502, 503, 504];

/**
 * Asks for a file. Redirects are followed where they do not leave https for http; the bytes come as they are stored.
 *
 * @throws Interrupted where trying again makes sense; BoxwrightError `network` where it does not.
 */
export async function request(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Response> {
  let at = new URL(url);
  for (let redirects = 0; ; redirects++) {
    const response = await ask(at, headers, signal);
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || location === null) return answered(response, at);
    await discard(response);
    if (redirects === mostRedirects) throw refused(url, `${mostRedirects} redirects did not lead to a file`);
    at = redirected(at, location);
  }
}

async function ask(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response> {
  try {
    // A compressed answer could not be gone on with.
    return await fetch(url, { headers: { ...headers, 'accept-encoding': 'identity' }, redirect: 'manual', signal });
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new Interrupted(`${url.host}: ${reasonOf(cause)}`, { cause });
  }
}

/** `fetch` hides what happened behind "fetch failed". */
export function reasonOf(error: unknown): string {
  const { message, cause, code } = error as { message?: string; cause?: unknown; code?: string };
  if (cause !== undefined) return reasonOf(cause);
  const known: Readonly<Record<string, string>> = {
    ENOTFOUND: 'the server is not found',
    EAI_AGAIN: 'the name of the server cannot be looked up: is there a network?',
    ECONNREFUSED: 'the connection was refused',
    ECONNRESET: 'the connection was broken',
    UND_ERR_SOCKET: 'the connection was broken',
    ENETUNREACH: 'the network cannot be reached',
    ETIMEDOUT: 'the server does not answer',
    UND_ERR_CONNECT_TIMEOUT: 'the server does not answer',
  };
  return known[code ?? ''] ?? (message || String(code ?? error));
}

/** Where a redirect leads, if it may lead there. */
export function redirected(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href))
    throw refused(from.href, `it redirects to "${location}", which is no address`);
  const to = new URL(location, from);
  if (to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:')) return to;
  throw refused(from.href, `it redirects to ${to.href}, which is no https`);
}

function answered(response: Response, url: URL): Response {
  const { status, statusText } = response;
  if (status === 200 || status === 206 || status === 416) return response;
  discard(response);
  const said = `the server answered ${status}${statusText && ` ${statusText}`}`;
  if (passing.includes(status)) throw new Interrupted(`${url.host}: ${said}`);
  const advice: Readonly<Record<number, string>> = {
    401: ': it wants a password',
    403: ': it does not hand out the file',
    404: ': the file is not there',
    410: ': the file is no longer there',
  };
  throw refused(url.href, `${said}${advice[status] ?? ''}`);
}

/** Lets go of an answer that is not read. That its body is broken then does not matter. */
export async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => {});
}

function refused(url: string, problem: string): BoxwrightError {
  return new BoxwrightError('network', `cannot download ${url}: ${problem}.`);
}
