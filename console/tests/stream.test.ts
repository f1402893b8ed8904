import { beforeEach, expect, test } from 'vitest';
import { LiveStream, type Notice, SILENCE_MS, type Source } from '../src/live/stream';

const NOON = Date.parse('2026-06-01T12:00:00Z');

class Wire implements Source {
  onerror: ((event: Event) => void) | null = null;
  closed = false;
  readonly #heard = new Map<string, (event: MessageEvent<string>) => void>();
  constructor(readonly url: string) {}
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void) {
    this.#heard.set(type, listener);
  }
  close() {
    this.closed = true;
  }
  tell(type: string, data: object, lastEventId = '7-1') {
    this.#heard.get(type)?.({ data: JSON.stringify(data), lastEventId } as MessageEvent<string>);
  }
}

/** Time that passes only when a test says so. */
class Time {
  now = NOON;
  #due: { at: number; act: () => void }[] = [];
  later = (act: () => void, after_ms: number) => {
    const entry = { at: this.now + after_ms, act };
    this.#due.push(entry);
    return () => {
      this.#due = this.#due.filter(each => each !== entry);
    };
  };
  pass(ms: number) {
    const until = this.now + ms;
    for (;;) {
      const next = this.#due.filter(each => each.at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#due = this.#due.filter(each => each !== next);
      this.now = next.at;
      next.act();
    }
    this.now = until;
  }
}

let time: Time;
let wires: Wire[];
let stream: LiveStream;
let begins: number;
let notices: Notice[];

const wire = () => wires.at(-1) as Wire;
const told = (ms = time.now) => ({ at: new Date(ms).toISOString() });

beforeEach(() => {
  time = new Time();
  wires = [];
  begins = 0;
  notices = [];
  stream = new LiveStream({
    open: url => {
      const opened = new Wire(url);
      wires.push(opened);
      return opened;
    },
    now_ms: () => time.now,
    later: time.later,
  });
  stream.onBegin(() => {
    begins += 1;
  });
  stream.onNotice(notice => notices.push(notice));
  stream.start();
});

test('it is live with the first word, and everything is loaded then', () => {
  expect(stream.state.health).toBe('connecting');
  wire().tell('hello', { resumed: false, ...told() });
  expect(stream.state).toMatchObject({ health: 'live', currentAt_ms: NOON });
  expect(begins).toBe(1);
});

test('silence for longer than a beat is not trusted, and it heals from where it was', () => {
  wire().tell('hello', { resumed: false, ...told() });
  time.pass(10_000);
  wire().tell('beat', { current: true, ...told() }, '7-9');
  time.pass(SILENCE_MS - 1);
  expect(stream.state.health).toBe('live');
  time.pass(1);
  expect(stream.state).toMatchObject({ health: 'broken', currentAt_ms: NOON + 10_000 });
  expect(wires[0]?.closed).toBe(true);
  time.pass(500);
  expect(wire().url).toBe('/api/v1/live?after=7-9');
  wire().tell('hello', { resumed: true, ...told() });
  expect(stream.state.health).toBe('live');
  expect(begins).toBe(1);
});

test('an error is shown at once; attempts go on for ever, less and less often', () => {
  wire().tell('hello', { resumed: false, ...told() });
  for (let attempt = 0; attempt < 20; attempt++) {
    wire().onerror?.(new Event('error'));
    expect(stream.state.health).toBe('broken');
    time.pass(10_000);
    expect(wires).toHaveLength(attempt + 2);
  }
  wire().tell('hello', { resumed: true, ...told() });
  expect(stream.state.health).toBe('live');
  wire().onerror?.(new Event('error'));
  time.pass(500);
  expect(wires).toHaveLength(22);
});

test('the network gone is shown before any silence; back, it is tried at once', () => {
  wire().tell('hello', { resumed: false, ...told() });
  stream.networkGone();
  expect(stream.state.health).toBe('broken');
  stream.networkBack();
  expect(wires).toHaveLength(2);
  time.pass(1_000);
  expect(wires).toHaveLength(2);
});

test('a reset loads everything anew', () => {
  wire().tell('hello', { resumed: true, ...told() });
  expect(begins).toBe(0);
  wire().tell('reset', told());
  expect(begins).toBe(1);
});

test('a service that cannot hear its ledger is not live', () => {
  wire().tell('hello', { resumed: false, ...told() });
  time.pass(5_000);
  wire().tell('beat', { current: false, ...told() });
  expect(stream.state).toMatchObject({ health: 'deaf', currentAt_ms: NOON });
  wire().tell('beat', { current: true, ...told() });
  expect(stream.state.health).toBe('live');
});

test('ages are told by the clock of the service', () => {
  wire().tell('hello', { resumed: false, ...told(NOON + 90_000) });
  expect(stream.now_ms()).toBe(NOON + 90_000);
});

test('what changes is passed on; a wire that was given up is not listened to', () => {
  wire().tell('hello', { resumed: false, ...told() });
  const old = wire();
  old.tell('alarm', { site: 'a', subject: 3, version: 9, ...told(), title: null, body: {} });
  old.onerror?.(new Event('error'));
  time.pass(500);
  old.tell('alarm', { site: 'a', subject: 4, version: 9, ...told(), title: null, body: {} });
  expect(notices.map(each => [each.kind, each.subject])).toEqual([['alarm', 3]]);
});

test('stopped, it asks for nothing and begins from the beginning', () => {
  wire().tell('hello', { resumed: false, ...told() });
  stream.stop();
  time.pass(60_000);
  expect(wires).toHaveLength(1);
  stream.start();
  expect(wire().url).toBe('/api/v1/live');
});
