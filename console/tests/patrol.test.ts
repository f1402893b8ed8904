import { expect, test } from 'vitest';
import type { ChecklistOut, ItemOut, Me, RoundOut, RoundStop } from '../src/api/schema';
import { allWell, asked, missing, wantsPhoto } from '../src/patrol/answers';
import { wantedOf } from '../src/patrol/kept/places';
import type { FinishEntry } from '../src/patrol/kept/shapes';
import { isEnded } from '../src/patrol/rounds';
import { read, shown, typed } from '../src/scanning/codes';

// Made by inspection/codes.py.
const CODE = 'GH8RHGKC32TG';

test('a code is read from its link at any address, as it is typed, and as it is printed', () => {
  for (const text of [
    CODE,
    CODE.toLowerCase(),
    shown(CODE),
    `https://patrol.example.cn/t/${CODE}`,
    `http://127.0.0.1:8080/sub/t/${CODE}/`,
  ])
    expect(read(text), text).toEqual({ code: CODE });
});

test('every single wrong character and every two neighbours changed over are noticed', () => {
  for (let at = 0; at < CODE.length; at += 1) {
    for (const other of '2346789CDFGHJKMPQRTVWXY')
      if (other !== CODE[at])
        expect(typed(CODE.slice(0, at) + other + CODE.slice(at + 1))).toEqual({ misread: 'wrong_check' });
    const swapped = CODE.slice(0, at) + (CODE[at + 1] ?? '') + (CODE[at] ?? '') + CODE.slice(at + 2);
    if (swapped !== CODE && swapped.length === CODE.length && at + 1 < CODE.length)
      expect(typed(swapped)).toEqual({ misread: 'wrong_check' });
  }
});

test('what is not ours is told apart', () => {
  expect(read('https://u.example.com/wx/abc')).toEqual({ misread: 'foreign' });
  expect(read('6901234567892')).toEqual({ misread: 'foreign' });
  expect(typed('GH8R')).toEqual({ misread: 'wrong_length' });
  expect(typed('GH8RHGKC32T0')).toEqual({ misread: 'wrong_character' });
  expect(typed(' - ')).toEqual({ misread: 'empty' });
});

const item = (key: string, change: Partial<ItemOut> = {}): ItemOut => ({
  key,
  ask: { zh: key, en: key },
  answer: 'check',
  severity: 'warning',
  photo: 'on_fail',
  optional: false,
  types: [],
  unit: '',
  low: null,
  high: null,
  choices: [],
  follow_up: [],
  source: '',
  ...change,
});
const items = [
  item('seal', { follow_up: [item('why', { answer: 'text' })] }),
  item('pressure', { answer: 'reading', low: 0.2, high: 0.6, photo: 'random' }),
  item('frost', { optional: true }),
  item('weight', { answer: 'reading' }),
];
const checklist = { items } as unknown as ChecklistOut;
const stop = { items: ['seal', 'pressure', 'frost'], photos: [] } as unknown as RoundStop;
const keys = (answers: Record<string, boolean | number | string>) =>
  asked(checklist, stop, answers).map(each => each.item.key);

test('a failed item asks its follow-ups in place, and what this facility is not asked stays out', () => {
  expect(keys({})).toEqual(['seal', 'pressure', 'frost']);
  expect(keys({ seal: false })).toEqual(['seal', 'why', 'pressure', 'frost']);
});

test('"all in order" answers compulsory checks only: what failed stays failed, figures are read', () => {
  expect(allWell(asked(checklist, stop, {}), {})).toEqual({ seal: true });
  expect(allWell(asked(checklist, stop, { seal: false }), { seal: false })).toEqual({ seal: false });
  expect(missing(asked(checklist, stop, { seal: true }), { seal: true })).toEqual(['pressure']);
});

test('a photo is compulsory when drawn for today or when its item failed', () => {
  const pressure = item('pressure', { answer: 'reading', low: 0.2, high: 0.6, photo: 'random' });
  expect(wantsPhoto(pressure, stop, { pressure: 0.4 })).toBe(false);
  expect(wantsPhoto(pressure, stop, { pressure: 0.1 })).toBe(true);
  expect(wantsPhoto(pressure, { ...stop, photos: ['pressure'] }, { pressure: 0.4 })).toBe(true);
});

test('on a phone that two guards share, a round is ended by whoever ended it himself', () => {
  const ending = (change: Partial<FinishEntry> = {}): FinishEntry => ({
    kind: 'finish',
    id: 'one',
    person: 1,
    personName: '李强',
    site: 'garden',
    name: { zh: '日巡', en: 'Daily' },
    savedAt_ms: 0,
    state: 'waiting',
    why: null,
    round: 7,
    unsent: null,
    ...change,
  });
  const of = (person: number) => ({ person: { id: person } }) as Me;
  expect(isEnded(7, { entries: [ending()], me: of(1) })).toBe(true);
  expect(isEnded(7, { entries: [ending({ state: 'sent' })], me: of(1) })).toBe(true);
  expect(isEnded(7, { entries: [ending({ state: 'refused' })], me: of(1) })).toBe(false);
  expect(isEnded(7, { entries: [ending()], me: of(2) })).toBe(false);
  expect(isEnded(8, { entries: [ending()], me: of(1) })).toBe(false);
});

test('photos of places are fetched in the order of the route, each once, as many as a phone holds', () => {
  const stop = (facility: string, sha256: string | null, bytes = 100) =>
    ({ stop: { facility }, place_photo: sha256 === null ? null : { sha256, bytes } }) as unknown as RoundStop;
  const rounds = [
    { site: 'garden', stops: [stop('a', '1'), stop('b', null), stop('c', '2')] },
    { site: 'harbour', stops: [stop('d', '1'), stop('e', '3', 101), stop('f', '4')] },
  ] as unknown as RoundOut[];
  const named = (bytes_max: number) => wantedOf(rounds, bytes_max).map(each => `${each.site}/${each.facility}`);
  expect(named(1000)).toEqual(['garden/a', 'garden/c', 'harbour/e', 'harbour/f']);
  expect(named(300)).toEqual(['garden/a', 'garden/c']);
  expect(named(0)).toEqual([]);
  const older = [{ site: 'garden', stops: [{ stop: { facility: 'a' } }] }] as unknown as RoundOut[];
  expect(wantedOf(older, 1000)).toEqual([]);
});
