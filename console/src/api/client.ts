import createClient, { type Middleware } from 'openapi-fetch';
import { Failed, type Problem } from './problem';
import type { paths } from './schema';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

let csrf: string | null = null;
const unauthorized = new Set<() => void>();

/** The token that goes with every change; null: nobody is signed in. */
export function setCsrf(token: string | null): void {
  csrf = token;
}

/** Called whenever the service says that the session is over. */
export function onUnauthorized(listener: () => void): () => void {
  unauthorized.add(listener);
  return () => unauthorized.delete(listener);
}

const manners: Middleware = {
  onRequest({ request }) {
    if (!SAFE.has(request.method) && csrf !== null) request.headers.set('X-CSRF-Token', csrf);
    return request;
  },
  onResponse({ response, schemaPath }) {
    if (response.status === 401 && schemaPath !== '/api/v1/session') for (const tell of unauthorized) tell();
  },
};

/** The service, typed by its own description (openapi.json). */
export const api = createClient<paths>({ baseUrl: '', credentials: 'same-origin' });
api.use(manners);

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The answer itself. Throws Failed: with the service's problem, or with none where it could not be reached. */
export async function given<T>(asked: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await asked;
  } catch (error) {
    throw new Failed(null, null, { cause: error });
  }
  if (answer.response.ok) return answer.data as T;
  const problem = typeof answer.error === 'object' && answer.error !== null ? (answer.error as Problem) : null;
  throw new Failed(problem, answer.response);
}

/** One deed, sent again after a lost answer, is done once: keep the key for all attempts at the same deed. */
export function deedKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('');
}
