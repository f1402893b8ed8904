/**
 * The live stream: every change of an alarm, a work order or a permit, as the service sends it (docs/api.md).
 *
 * One connection for the whole console. It is broken as soon as the browser says so, or when a beat is missed: a
 * connection that is silent is not trusted. It heals by itself, from the last event seen, so that nothing is lost; where
 * that is not possible the service says `reset` and everything is loaded anew. No clock and no EventSource of its own:
 * both are passed in, and tests pass theirs.
 */

export type NoticeKind = 'alarm' | 'work_order' | 'permit';
export const NOTICE_KINDS: readonly NoticeKind[] = ['alarm', 'work_order', 'permit'];

/** The whole new state of one subject; of two the larger version is newer. */
export type Notice = {
  readonly kind: NoticeKind;
  readonly site: string;
  readonly subject: number;
  readonly version: number;
  readonly at: string;
  readonly title: { readonly zh: string; readonly en: string } | null;
  readonly body: Readonly<Record<string, unknown>>;
};

/** `deaf`: connected, but the service cannot hear its own ledger. Only `live` may be trusted. */
export type Health = 'connecting' | 'live' | 'broken' | 'deaf';

export type State = {
  readonly health: Health;
  /** The service's time when it last said that the screen is current; null: never yet. */
  readonly currentAt_ms: number | null;
  /** How far the service's clock is ahead of this machine's. */
  readonly clockAhead_ms: number;
};

export type Source = {
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void;
  close(): void;
  onerror: ((event: Event) => void) | null;
};

export type Surroundings = {
  readonly open: (url: string) => Source;
  readonly now_ms: () => number;
  readonly later: (act: () => void, after_ms: number) => () => void;
};

/** The service beats every ten seconds. One beat and some travel late is silence. */
export const SILENCE_MS = 15_000;
const RETRY_MS = [500, 1_000, 2_000, 5_000, 10_000];

export class LiveStream {
  #state: State = { health: 'connecting', currentAt_ms: null, clockAhead_ms: 0 };
  #source: Source | null = null;
  #lastEventId: string | null = null;
  #attempts = 0;
  #forgetSilence: () => void = () => {};
  #forgetRetry: () => void = () => {};
  readonly #watchers = new Set<() => void>();
  readonly #listeners = new Set<(notice: Notice) => void>();
  readonly #begins = new Set<() => void>();
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  get state(): State {
    return this.#state;
  }

  /** The service's time, as well as this machine knows it. */
  now_ms(): number {
    return this.#around.now_ms() + this.#state.clockAhead_ms;
  }

  /** Called when `state` is another. */
  watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  onNotice(listener: (notice: Notice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called when what was loaded before may have a gap before what follows: load it anew. */
  onBegin(listener: () => void): () => void {
    this.#begins.add(listener);
    return () => this.#begins.delete(listener);
  }

  start(): void {
    if (this.#source === null) this.#open();
  }

  stop(): void {
    this.#forgetRetry();
    this.#forgetSilence();
    this.#source?.close();
    this.#source = null;
    this.#lastEventId = null;
    this.#attempts = 0;
    this.#become({ health: 'connecting', currentAt_ms: null });
  }

  /** The network says that it is gone or back; do not wait for silence to prove it. */
  networkGone = (): void => this.#break();
  networkBack = (): void => {
    if (this.#state.health !== 'broken') return;
    this.#forgetRetry();
    this.#open();
  };

  #open(): void {
    const after = this.#lastEventId === null ? '' : `?after=${encodeURIComponent(this.#lastEventId)}`;
    const source = this.#around.open(`/api/v1/live${after}`);
    this.#source = source;
    source.onerror = () => {
      if (this.#source === source) this.#break();
    };
    const hear = (type: string, act: (data: Record<string, unknown>) => void) =>
      source.addEventListener(type, event => {
        if (this.#source !== source) return;
        if (event.lastEventId) this.#lastEventId = event.lastEventId;
        this.#listenForSilence();
        act(JSON.parse(event.data) as Record<string, unknown>);
      });
    hear('hello', data => {
      this.#attempts = 0;
      this.#current(data.at);
      if (data.resumed !== true) this.#begin();
    });
    hear('reset', data => {
      this.#current(data.at);
      this.#begin();
    });
    hear('beat', data => {
      if (data.current === false) this.#become({ health: 'deaf' });
      else this.#current(data.at);
    });
    for (const kind of NOTICE_KINDS)
      hear(kind, data => {
        this.#current(undefined);
        const notice = { ...data, kind } as Notice;
        for (const listener of this.#listeners) listener(notice);
      });
    this.#listenForSilence();
  }

  #begin(): void {
    for (const listener of this.#begins) listener();
  }

  #listenForSilence(): void {
    this.#forgetSilence();
    this.#forgetSilence = this.#around.later(() => this.#break(), SILENCE_MS);
  }

  #break(): void {
    if (this.#source === null) return;
    this.#source.close();
    this.#source = null;
    this.#forgetSilence();
    this.#become({ health: 'broken' });
    const wait = RETRY_MS[Math.min(this.#attempts++, RETRY_MS.length - 1)] ?? 1_000;
    this.#forgetRetry = this.#around.later(() => this.#open(), wait);
  }

  #current(at: unknown): void {
    const told_ms = typeof at === 'string' ? Date.parse(at) : Number.NaN;
    const ahead = Number.isNaN(told_ms) ? this.#state.clockAhead_ms : told_ms - this.#around.now_ms();
    this.#become({
      health: 'live',
      clockAhead_ms: ahead,
      currentAt_ms: this.#around.now_ms() + ahead,
    });
  }

  #become(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    for (const watcher of this.#watchers) watcher();
  }
}
