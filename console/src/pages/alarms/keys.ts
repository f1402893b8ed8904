import { useEffect, useRef } from 'react';

export type Key = 'next' | 'previous' | 'acknowledge' | 'shelve' | 'why' | 'select' | 'search' | 'help';

export const KEYS: Readonly<Record<string, Key>> = {
  j: 'next',
  k: 'previous',
  a: 'acknowledge',
  s: 'shelve',
  w: 'why',
  x: 'select',
  '/': 'search',
  '?': 'help',
};

/** Keys of the page; not while somebody writes, nor while something stands over the page. */
export function useKeys(act: (key: Key) => void): void {
  const latest = useRef(act);
  useEffect(() => {
    latest.current = act;
  });
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement | null;
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (target?.closest('input:not([type=checkbox]), textarea, select, [contenteditable], [role=dialog]')) return;
      const key = KEYS[event.key.toLowerCase()];
      if (key === undefined) return;
      event.preventDefault();
      latest.current(key);
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
}
