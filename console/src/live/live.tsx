import { useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { LiveStream, type Notice, type NoticeKind, type State } from './stream';

const InLive = createContext<LiveStream | null>(null);

function browser(): LiveStream {
  return new LiveStream({
    open: url => new EventSource(url, { withCredentials: true }),
    now_ms: () => Date.now(),
    later: (act, after_ms) => {
      const timer = setTimeout(act, after_ms);
      return () => clearTimeout(timer);
    },
  });
}

/** Runs the one stream while somebody is signed in; loads every list anew where the stream could not be resumed. */
export function LiveProvider({ running, children }: { running: boolean; children: ReactNode }) {
  const [stream] = useState(browser);
  const queries = useQueryClient();
  useEffect(() => {
    if (!running) return;
    const forget = stream.onBegin(() => {
      void queries.invalidateQueries({ predicate: query => query.meta?.standing !== true });
    });
    addEventListener('offline', stream.networkGone);
    addEventListener('online', stream.networkBack);
    stream.start();
    return () => {
      forget();
      removeEventListener('offline', stream.networkGone);
      removeEventListener('online', stream.networkBack);
      stream.stop();
    };
  }, [running, stream, queries]);
  return <InLive value={stream}>{children}</InLive>;
}

export function useLiveStream(): LiveStream {
  const stream = useContext(InLive);
  if (stream === null) throw new Error('useLiveStream outside LiveProvider');
  return stream;
}

/** Whether the screen can be trusted, and since when it cannot. */
export function useLiveState(): State {
  const stream = useLiveStream();
  return useSyncExternalStore(stream.watch, () => stream.state);
}

/** Calls `act` for each change of these kinds while the component stands. */
export function useNotices(kinds: readonly NoticeKind[], act: (notice: Notice) => void): void {
  const stream = useLiveStream();
  const latest = useRef(act);
  const wanted = kinds.join(' ');
  useEffect(() => {
    latest.current = act;
  });
  useEffect(
    () =>
      stream.onNotice(notice => {
        if (wanted.split(' ').includes(notice.kind)) latest.current(notice);
      }),
    [stream, wanted],
  );
}

/**
 * Keeps lists true: when something of these kinds changes, the queries under `queryKey` are loaded anew, at most once in
 * `every_ms`, however much happens.
 */
export function useLiveQueries(kinds: readonly NoticeKind[], queryKey: readonly unknown[], every_ms = 1_000): void {
  const queries = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current);
    },
    [],
  );
  useNotices(kinds, () => {
    timer.current ??= setTimeout(() => {
      timer.current = null;
      void queries.invalidateQueries({ queryKey: [...queryKey] });
    }, every_ms);
  });
}
