import { useEffect, useState } from 'react';

const LOOK_EVERY_MS = 300_000;
/** Whatever a browser leaks in a day is given back. */
const FRESH_AFTER_MS = 24 * 3_600_000;

/** The scripts a page is made of: their names carry their content, so that another build has others. */
export function scriptsOf(page: string): string {
  return [...page.matchAll(/src="(\/assets\/[^"]+)"/g)].map(found => found[1]).join(' ');
}

/** A screen that nobody touches loads itself anew when there is a newer console, and once a day; only while the service answers. */
export function useLasting(): void {
  useEffect(() => {
    const begun_ms = performance.now();
    const mine = scriptsOf(document.documentElement.innerHTML);
    const look = async () => {
      try {
        const response = await fetch('/', { cache: 'no-store' });
        if (!response.ok) return;
        const theirs = scriptsOf(await response.text());
        if (theirs !== '' && (theirs !== mine || performance.now() - begun_ms > FRESH_AFTER_MS)) location.reload();
      } catch {
        // not answered: what stands here is better than an error page
      }
    };
    const timer = setInterval(() => void look(), LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
}

/** Keeps the screen from going dark, where the browser lets it; asked for again whenever the page comes back in sight. */
export function useAwake(): void {
  useEffect(() => {
    let lock: WakeLockSentinel | null = null;
    let gone = false;
    const ask = async () => {
      if (document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return;
      try {
        lock = await navigator.wakeLock.request('screen');
        if (gone) await lock.release();
      } catch {
        // low battery, or not over https: the screen's own settings decide
      }
    };
    void ask();
    document.addEventListener('visibilitychange', ask);
    return () => {
      gone = true;
      document.removeEventListener('visibilitychange', ask);
      void lock?.release();
    };
  }, []);
}

const KEPT_AS = 'taizhang.wall.dark';

/** Whether this screen is the dark one; kept with the screen, not with the person. */
export function useDark(): readonly [boolean, () => void] {
  const [dark, setDark] = useState(() => {
    try {
      return localStorage.getItem(KEPT_AS) === 'yes';
    } catch {
      return false;
    }
  });
  useEffect(() => {
    try {
      localStorage.setItem(KEPT_AS, dark ? 'yes' : 'no');
    } catch {
      // a browser that keeps nothing begins light
    }
  }, [dark]);
  return [dark, () => setDark(!dark)];
}

/** The size of what `ref` is put on, as it changes. */
export function useSize(): readonly [(element: HTMLElement | null) => void, { width: number; height: number }] {
  const [element, setElement] = useState<HTMLElement | null>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    if (element === null) return;
    const observer = new ResizeObserver(entries => {
      const box = entries[0]?.contentRect;
      if (box) setSize({ width: box.width, height: box.height });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return [setElement, size];
}
