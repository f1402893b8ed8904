import { afterEach, beforeEach, expect, test, vi } from 'vitest';

/** The phone's store, without a disk. */
const kept = vi.hoisted(() => {
  const stores: Record<string, Map<string, unknown>> = {};
  return { of: (store: string) => (stores[store] ??= new Map<string, unknown>()) };
});
const service = vi.hoisted(() => {
  // The page's addresses are relative to its own; there is no page here.
  const Plain = globalThis.Request;
  globalThis.Request = class extends Plain {
    constructor(asked: string | URL | Request, how?: RequestInit) {
      super(typeof asked === 'string' ? new URL(asked, 'http://phone.invalid') : asked, how);
    }
  };
  const answers = { give: (_asked: Request): Response | null => null };
  const asked: string[] = [];
  globalThis.fetch = (request => {
    const { url, method, signal } = request as Request;
    asked.push(`${method} ${new URL(url).pathname}`);
    const answer = answers.give(request as Request);
    if (answer !== null) return Promise.resolve(answer);
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  }) as typeof fetch;
  return { answers, asked };
});

vi.mock('../src/patrol/kept/database', () => {
  const named = (store: string, value: { id?: string; sha256?: string; key?: string }) =>
    kept.of(store).set(value.id ?? value.sha256 ?? value.key ?? '', value);
  return {
    all: async (store: string) => [...kept.of(store).values()],
    get: async (store: string, key: string) => kept.of(store).get(key),
    put: async (store: string, value: object) => void named(store, value),
    remove: async (store: string, key: string) => void kept.of(store).delete(key),
    said: async (key: string) => kept.of('said').get(key) ?? null,
    keepSaid: async (key: string, value: unknown) => void kept.of('said').set(key, value),
    write: async (_: readonly string[], act: (of: (store: string) => object) => void) =>
      act(store => ({
        put: (value: object) => named(store, value),
        delete: (key: string) => kept.of(store).delete(key),
      })),
  };
});

import { Failed } from '../src/api/problem';
import type { Me, RoundOut } from '../src/api/schema';
import { Sender } from '../src/patrol/kept/outbox';
import { Patrol } from '../src/patrol/kept/patrol';
import type { Entry, Photo } from '../src/patrol/kept/shapes';
import { positionNear, watchPosition } from '../src/patrol/position';

const MINUTE_MS = 60_000;
const ME = { person: { id: 1, name: '李强' }, csrf: 'x' };
const json = (body: unknown) => new Response(JSON.stringify(body), { headers: { 'Content-Type': 'application/json' } });
const signedIn = (asked: Request): Response | null => (asked.url.endsWith('/session') ? json(ME) : null);
const photos = () => kept.of('photos') as Map<string, Photo>;
const entries = () => kept.of('outbox') as Map<string, Entry>;

const photo = (sha256: string): Photo => ({
  sha256,
  site: 'garden',
  person: 1,
  savedAt_ms: 0,
  state: 'waiting',
  why: null,
  picture: new Blob([sha256], { type: 'image/jpeg' }),
});
const own = { person: 1, personName: '李强', site: 'garden', name: { zh: '箱', en: 'Box' }, savedAt_ms: 0 };
const visit = (id: string) =>
  ({
    ...own,
    kind: 'visit',
    id,
    state: 'waiting',
    why: null,
    round: 7,
    facility: 'box',
    visit: { id },
    answer: null,
  }) as unknown as Entry;
const finish = (id: string): Entry => ({
  ...own,
  kind: 'finish',
  id,
  state: 'waiting',
  why: null,
  round: 7,
  unsent: null,
});

beforeEach(() => {
  vi.useFakeTimers();
  // Node's own timer behind it is none that a test can move.
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(after_ms => {
    const ending = new AbortController();
    setTimeout(() => ending.abort(new DOMException('too long', 'TimeoutError')), after_ms);
    return ending.signal;
  });
  for (const store of ['said', 'outbox', 'photos', 'drafts']) kept.of(store).clear();
  service.asked.length = 0;
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** One pass: how it ended, or `pending`. */
function passing() {
  const found = { as: 'pending' as unknown };
  new Sender('phone-1', () => undefined).pass().then(
    () => {
      found.as = 'done';
    },
    (error: unknown) => {
      found.as = error;
    },
  );
  return found;
}

type Hanging = readonly [what: string, give: (asked: Request) => Response | null, waits: Entry | null, asked: string];
const HANGING: readonly Hanging[] = [
  ['the session', () => null, null, 'GET /api/v1/session'],
  ['visits', signedIn, visit('v'), 'POST /api/v1/inspections'],
  ['the end of a round', signedIn, finish('f'), 'POST /api/v1/inspection-rounds/7/finish'],
];

test.each(HANGING)(
  'a request of %s that hangs is given up after two minutes and waits',
  async (_, give, waits, asked) => {
    service.answers.give = give;
    if (waits !== null) entries().set(waits.id, waits);
    const pass = passing();
    await vi.advanceTimersByTimeAsync(2 * MINUTE_MS - 1);
    expect([service.asked.at(-1), pass.as]).toEqual([asked, 'pending']);
    await vi.advanceTimersByTimeAsync(1);
    expect(pass.as).toBeInstanceOf(Failed);
    expect((pass.as as Failed).lost).toBe(true);
    for (const each of entries().values()) expect(each.state).toBe('waiting');
  },
);

test('a photo that hangs is given up after five minutes, keeps its picture, says so, and lets the next one go', async () => {
  const hanging = photo('a');
  for (const each of [hanging, photo('b')]) photos().set(each.sha256, each);
  let sent = 0;
  service.answers.give = asked => {
    if (!asked.url.includes('/photos')) return signedIn(asked);
    sent += 1;
    return sent === 1 ? null : json({});
  };
  const pass = passing();
  await vi.advanceTimersByTimeAsync(5 * MINUTE_MS - 1);
  expect([sent, pass.as]).toEqual([1, 'pending']);
  await vi.advanceTimersByTimeAsync(1);
  expect(photos().get('a')).toMatchObject({
    state: 'waiting',
    picture: hanging.picture,
    why: { en: expect.any(String) },
  });
  expect(photos().get('b')).toMatchObject({ state: 'sent', picture: null });
  expect((pass.as as Failed).lost).toBe(true);
  await vi.advanceTimersByTimeAsync(0);
  const again = passing();
  await vi.advanceTimersByTimeAsync(0);
  expect([again.as, photos().get('a')?.state]).toEqual(['done', 'sent']);
});

test('a request that is answered in time leaves nothing behind that gives it up', async () => {
  photos().set('a', photo('a'));
  service.answers.give = asked => signedIn(asked) ?? json({});
  const pass = passing();
  await vi.advanceTimersByTimeAsync(10 * MINUTE_MS);
  expect([pass.as, photos().get('a')?.state]).toEqual(['done', 'sent']);
});

// -- where the guard was

/** A phone that has just been told where it is. */
function standAt(latitude: number): void {
  let told: PositionCallback = () => undefined;
  const watchThem = (each: PositionCallback) => {
    told = each;
    return 4;
  };
  vi.stubGlobal('navigator', { geolocation: { watchPosition: watchThem, clearWatch: () => undefined } });
  watchPosition();
  told({ coords: { latitude, longitude: 121.5, accuracy: 9_000_000 } } as GeolocationPosition);
}
function guarded(): Patrol {
  const patrol = new Patrol();
  patrol.known = { ...patrol.known, me: ME as unknown as Me };
  return patrol;
}
const round = { id: 7, stops: [] } as unknown as RoundOut;

test('a fix counts for a scan within a minute of it, before or after', () => {
  standAt(31.2);
  const now_ms = Date.now();
  for (const away_ms of [-MINUTE_MS, 0, MINUTE_MS])
    expect(positionNear(now_ms + away_ms)).toEqual({ latitude: 31.2, longitude: 121.5, accuracy_m: 100_000 });
  for (const away_ms of [-MINUTE_MS - 1, MINUTE_MS + 1]) expect(positionNear(now_ms + away_ms)).toBeNull();
});

test('a phone without positions is watched for none, and a watch that is over asks no more', () => {
  vi.stubGlobal('navigator', {});
  expect(watchPosition()).toBeUndefined();
  const cleared: number[] = [];
  vi.stubGlobal('navigator', {
    geolocation: { watchPosition: () => 4, clearWatch: (watch: number) => cleared.push(watch) },
  });
  watchPosition()?.();
  expect(cleared).toEqual([4]);
});

test('a point begun by its link and then read with the camera is where it was read', async () => {
  const patrol = guarded();
  standAt(31.1);
  const begun = await patrol.begin(round, 'box', 'CODE', 'typed');
  await vi.advanceTimersByTimeAsync(20 * MINUTE_MS);
  standAt(31.2);
  const read = await patrol.begin(round, 'box', 'CODE', 'camera');
  expect([begun.position?.latitude, read.position?.latitude]).toEqual([31.1, 31.2]);
  expect({ ...read, position: null }).toEqual({ ...begun, means: 'camera', position: null });
  await vi.advanceTimersByTimeAsync(20 * MINUTE_MS);
  standAt(31.3);
  expect(await patrol.begin(round, 'box', 'OTHER', 'camera')).toEqual(read); // it was read already: the first counts
});

test('where it is read again without a fix, the one before is kept', async () => {
  const patrol = guarded();
  standAt(31.1);
  await patrol.begin(round, 'box', 'CODE', 'typed');
  await vi.advanceTimersByTimeAsync(20 * MINUTE_MS);
  expect((await patrol.begin(round, 'box', 'CODE', 'camera')).position?.latitude).toBe(31.1);
});

// -- a deed whose answer was lost

test('a round whose handing over was not answered is handed over again by the same deed, until it has come back', async () => {
  const patrol = guarded();
  const journal = [{ seq: 1, guard: '李强' }];
  const keys: (string | null)[] = [];
  let isLost = true;
  service.answers.give = asked => {
    if (!asked.url.endsWith('/hand-over'))
      return signedIn(asked) ?? (asked.url.endsWith('/7') ? json({ id: 7, journal }) : json({}));
    keys.push(asked.headers.get('Idempotency-Key'));
    return isLost ? new Response(null, { status: 502 }) : json({});
  };
  const give = (to = '张师傅') => patrol.handOver(7, to);
  await expect(give()).rejects.toThrow();
  journal.push({ seq: 2, guard: '张师傅' }); // it had arrived
  await expect(give()).rejects.toThrow();
  journal.push({ seq: 3, guard: '李强' }); // and was given back before this phone heard of it
  await expect(give()).rejects.toThrow();
  isLost = false;
  await give();
  expect(keys[1]).toBe(keys[0]);
  expect(keys[2]).not.toBe(keys[0]);
  expect(keys[3]).toBe(keys[2]);
  await give('陈经理');
  expect(new Set(keys).size).toBe(3);
});
