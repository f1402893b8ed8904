import { useSyncExternalStore } from 'react';
import { useLiveState, useLiveStream } from '../live/live';

let ticking: ReturnType<typeof setInterval> | null = null;
let ticks = 0;
const watchers = new Set<() => void>();

function everySecond(watcher: () => void): () => void {
  watchers.add(watcher);
  ticking ??= setInterval(() => {
    ticks += 1;
    for (const each of watchers) each();
  }, 1_000);
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0 && ticking !== null) {
      clearInterval(ticking);
      ticking = null;
    }
  };
}

/**
 * The service's time, second by second, for ages and countdowns. While the stream is not live it stands still at the last
 * moment the screen was known to be true: a running clock beside dead figures would be a lie.
 */
export function useNow_ms(): number {
  const stream = useLiveStream();
  const { health, currentAt_ms } = useLiveState();
  useSyncExternalStore(everySecond, () => ticks);
  return health === 'live' || currentAt_ms === null ? stream.now_ms() : currentAt_ms;
}

/** The same without standing still: for saying how long the screen has stood. */
export function useRunning_ms(): number {
  const stream = useLiveStream();
  useSyncExternalStore(everySecond, () => ticks);
  return stream.now_ms();
}
