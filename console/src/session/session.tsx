import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import { onUnauthorized, setCsrf } from '../api/client';
import { Failed } from '../api/problem';
import type { Me, Right } from './me';
import * as requests from './requests';

/** `unknown`: not asked yet. `expired`: was signed in; the page stands, with what was typed, behind the sign-in form. */
export type Standing = 'unknown' | 'nobody' | 'signed_in' | 'expired' | 'unreachable';

type Session = {
  readonly standing: Standing;
  readonly me: Me | null;
  readonly signIn: (login: string, password: string) => Promise<void>;
  readonly signOut: () => Promise<void>;
  /** Whether this person may do this: at that site, or without one, anywhere. */
  readonly can: (right: Right, site?: string) => boolean;
};

const InSession = createContext<Session | null>(null);
const SESSION = ['session'] as const;

async function whoAmI(): Promise<Me | null> {
  try {
    return await requests.whoAmI();
  } catch (error) {
    if (error instanceof Failed && error.status === 401) return null;
    throw error;
  }
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
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
  useEffect(() => setCsrf(me?.csrf ?? null), [me]);
  useEffect(() => onUnauthorized(() => setExpired(true)), []);
  const signIn = useCallback(
    async (login: string, password: string) => {
      const found = await requests.signIn(login, password);
      setCsrf(found.csrf);
      queries.setQueryData(SESSION, found);
      setExpired(false);
      void queries.invalidateQueries({ predicate: query => query.meta?.standing !== true });
    },
    [queries],
  );
  const signOut = useCallback(async () => {
    try {
      await requests.signOut(me?.csrf ?? '');
    } finally {
      queries.clear();
      queries.setQueryData(SESSION, null);
      setExpired(false);
    }
  }, [queries, me]);
  const can = useCallback(
    (right: Right, site?: string) =>
      me?.sites.some(each => (site === undefined || each.site === site) && each.rights.includes(right)) ?? false,
    [me],
  );
  const standing: Standing =
    me !== null
      ? expired
        ? 'expired'
        : 'signed_in'
      : asked.isSuccess
        ? 'nobody'
        : asked.failureCount > 0
          ? 'unreachable'
          : 'unknown';
  const session = useMemo<Session>(
    () => ({ standing, me, signIn, signOut, can }),
    [standing, me, signIn, signOut, can],
  );
  return <InSession value={session}>{children}</InSession>;
}

export function useSession(): Session {
  const session = useContext(InSession);
  if (session === null) throw new Error('useSession outside SessionProvider');
  return session;
}
