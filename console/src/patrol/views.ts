/** Where the guard is in the page. Kept in the browser's history, so that the phone's own "back" goes one step back. */

import { useCallback, useEffect, useState } from 'react';

export type View =
  | { readonly at: 'today' }
  | { readonly at: 'round'; readonly round: number }
  | { readonly at: 'scan'; readonly round: number; readonly facility: string | null }
  | { readonly at: 'point'; readonly round: number; readonly facility: string }
  | { readonly at: 'outbox' };

const TODAY: View = { at: 'today' };

/** `/patrol/t/CODE`, where the service sends a guard who opened a tag with another program. */
export function codeOfAddress(path: string): string | null {
  return /^\/patrol\/t\/([^/]+)\/?$/.exec(path)?.[1] ?? null;
}

export function useViews() {
  const [view, setView] = useState<View>(() => (history.state as View | null) ?? TODAY);
  useEffect(() => {
    const moved = (event: PopStateEvent) => setView((event.state as View | null) ?? TODAY);
    addEventListener('popstate', moved);
    return () => removeEventListener('popstate', moved);
  }, []);
  const go = useCallback((next: View) => {
    history.pushState(next, '', '/patrol');
    setView(next);
  }, []);
  /** In place of the present one: "back" does not lead to it again. */
  const replace = useCallback((next: View) => {
    history.replaceState(next, '', '/patrol');
    setView(next);
  }, []);
  return { view, go, replace };
}
