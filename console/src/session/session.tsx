import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import { api, given, onUnauthorized, setCsrf } from '../api/client';
import { Failed } from '../api/problem';
import type { Language } from '../words/catalogue';
import { useWords } from '../words/words';
import type { Me, Right } from './me';

/**
 * `unknown`: not asked yet. `new_password`: signed in with a password that somebody else made, and nothing can be done
 * before another is chosen. `expired`: was signed in; the page stands, with what was typed, behind the sign-in form.
 */
export type Standing = 'unknown' | 'nobody' | 'new_password' | 'signed_in' | 'expired' | 'unreachable';

type Session = {
  readonly standing: Standing;
  readonly me: Me | null;
  readonly signIn: (login: string, password: string) => Promise<void>;
  readonly choosePassword: (password: string, newPassword: string) => Promise<void>;
  readonly signOut: () => Promise<void>;
  /** The language he reads from now on: here at once, and on every other screen he signs in at. */
  readonly read: (language: Language) => void;
  /** Whether this person may do this: at that site, or without one, anywhere. */
  readonly can: (right: Right, site?: string) => boolean;
};

const InSession = createContext<Session | null>(null);
const SESSION = ['session'] as const;

async function whoAmI(): Promise<Me | null> {
  try {
    return await given(api.GET('/api/v1/session'));
  } catch (error) {
    if (error instanceof Failed && error.status === 401) return null;
    throw error;
  }
}

const SENT_TO_PROVIDER = 'taizhang.provider';

/** From here the browser goes to the provider's page, and comes back to a console that knows nothing of it. */
export function leaveForProvider(): void {
  try {
    sessionStorage.setItem(SENT_TO_PROVIDER, 'yes');
  } catch {
    // then the screen keeps the language it has
  }
}

/** Whether this is the first time that this tab looks since it was sent to the provider. */
function cameFromProvider(): boolean {
  try {
    const sent = sessionStorage.getItem(SENT_TO_PROVIDER) === 'yes';
    sessionStorage.removeItem(SENT_TO_PROVIDER);
    return sent;
  } catch {
    return false;
  }
}

function standingOf(me: Me | null, expired: boolean, asked: { isSuccess: boolean; failureCount: number }): Standing {
  if (me === null) return asked.isSuccess ? 'nobody' : asked.failureCount > 0 ? 'unreachable' : 'unknown';
  if (expired) return 'expired';
  return me.must_change_password ? 'new_password' : 'signed_in';
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const { choose } = useWords();
  const [expired, setExpired] = useState(false);
  const asked = useQuery({
    queryKey: SESSION,
    queryFn: whoAmI,
    staleTime: Number.POSITIVE_INFINITY,
    retry: true,
    retryDelay: attempt => Math.min(500 * 2 ** attempt, 5_000),
    meta: { standing: true },
  });
  const me = asked.data ?? null;
  // Before anything below asks for something: effects of children run first.
  setCsrf(me?.csrf ?? null);
  useEffect(() => onUnauthorized(() => setExpired(true)), []);
  useEffect(() => {
    if (me !== null && cameFromProvider()) choose(me.person.language);
  }, [me, choose]);
  const become = useCallback(
    (found: Me) => {
      setCsrf(found.csrf);
      queries.setQueryData(SESSION, found);
      setExpired(false);
      void queries.invalidateQueries({ predicate: query => query.meta?.standing !== true });
    },
    [queries],
  );
  const signIn = useCallback(
    async (login: string, password: string) => {
      const found = await given(api.POST('/api/v1/session', { body: { login, password } }));
      choose(found.person.language);
      become(found);
    },
    [become, choose],
  );
  const choosePassword = useCallback(
    async (password: string, new_password: string) =>
      become(await given(api.POST('/api/v1/session/password', { body: { password, new_password } }))),
    [become],
  );
  const signOut = useCallback(async () => {
    try {
      await given(api.DELETE('/api/v1/session'));
    } finally {
      queries.clear();
      queries.setQueryData(SESSION, null);
      setExpired(false);
    }
  }, [queries]);
  const signedIn = me !== null && !expired;
  const read = useCallback(
    (language: Language) => {
      choose(language);
      // That it could not be saved is no reason not to read it here.
      if (signedIn) given(api.PUT('/api/v1/session/language', { body: { language } })).catch(() => undefined);
    },
    [choose, signedIn],
  );
  const can = useCallback(
    (right: Right, site?: string) =>
      me?.sites.some(each => (site === undefined || each.site === site) && each.rights.includes(right)) ?? false,
    [me],
  );
  const standing = standingOf(me, expired, asked);
  const session = useMemo<Session>(
    () => ({ standing, me, signIn, choosePassword, signOut, read, can }),
    [standing, me, signIn, choosePassword, signOut, read, can],
  );
  return <InSession value={session}>{children}</InSession>;
}

export function useSession(): Session {
  const session = useContext(InSession);
  if (session === null) throw new Error('useSession outside SessionProvider');
  return session;
}
