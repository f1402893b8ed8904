import { expect, test } from 'vitest';
import type { AlarmOut, FacilityOut, LocationOut, ReadingsOut } from '../src/api/schema';
import { extent, line } from '../src/charts/series';
import { bucketOf, DAY_MS, HOUR_MS } from '../src/charts/spans';
import { rooms } from '../src/estate/rooms';
import { byUrgency, standing } from '../src/estate/standing';
import { figure } from '../src/estate/values';
import { fitting } from '../src/pages/wall/fitting';
import { scriptsOf } from '../src/pages/wall/lasting';
import { together } from '../src/pages/wall/together';

const named = (key: string) => ({ key, name: { zh: key, en: key } });
const place = (key: string, ...locations: LocationOut[]): LocationOut => ({ ...named(key), locations });
const facility = (key: string, location: string, online: boolean | null) =>
  ({
    ...named(key),
    site: 'garden',
    kind: 'x',
    location,
    gateway: online === null ? null : { key: 'gw', online, heard_at: null },
  }) as unknown as FacilityOut;
const alarm = (id: number, priority: string, shown: string) =>
  ({ id, priority, shown, by_calendar: false, raised_at: `2026-03-01T12:00:0${id}Z` }) as unknown as AlarmOut;
const ofCalendar = (id: number, site: string, rule: string, priority = 'medium') =>
  ({ ...alarm(id, priority, 'UNACK'), by_calendar: true, rule, facility: { site } }) as unknown as AlarmOut;

test('what is walked to is gathered by building, what reports has its own room', () => {
  const tree = [place('tower', place('floor_1'), place('floor_2')), place('basement', place('pumps'))];
  const found = rooms('garden', tree, [
    facility('extinguisher_1', 'floor_1', null),
    facility('extinguisher_2', 'floor_2', null),
    facility('booster', 'pumps', true),
  ]);
  expect(found.map(room => [room.key, room.walked, room.facilities.length])).toEqual([
    ['tower', true, 2],
    ['pumps', false, 1],
  ]);
});

test('a room shows its worst alarm, those not acknowledged first; hidden ones only as a number', () => {
  const how = standing(
    [facility('booster', 'pumps', false)],
    [alarm(1, 'urgent', 'SHLVD'), alarm(2, 'high', 'ACKED'), alarm(3, 'high', 'UNACK'), alarm(4, 'low', 'UNACK')],
  );
  expect([how.worst, how.first?.id, how.unanswered, how.hidden, how.silent]).toEqual(['high', 3, 2, 1, 1]);
  expect(standing([], []).first).toBeNull();
  const ended = ofCalendar(5, 'garden', 'equipment_ended');
  const mixed = standing([], [ended, alarm(6, 'low', 'ACKED')]);
  expect([mixed.worst, mixed.first?.id, mixed.unanswered]).toEqual(['low', 6, 1]);
  expect([standing([], [ended]).worst, standing([], [ended]).first?.id]).toEqual(['medium', 5]);
});

test('what the calendar raised stands last, and together by site and rule', () => {
  const alarms = [
    ofCalendar(1, 'garden', 'equipment_ended'),
    ofCalendar(2, 'harbour', 'equipment_ended'),
    alarm(3, 'low', 'ACKED'),
    ofCalendar(4, 'garden', 'equipment_ended'),
    ofCalendar(5, 'garden', 'round_missed'),
    ofCalendar(6, 'garden', 'round_missed', 'urgent'),
    alarm(7, 'medium', 'UNACK'),
  ].toSorted(byUrgency);
  expect(together(alarms).map(each => each.map(({ id }) => id))).toEqual([[6], [7], [3], [1, 4], [2], [5]]);
});

test('tiles fill the wall, whatever its shape', () => {
  expect(fitting([16, 24], 1440, 950)).toEqual({ columns: 6, lines: 7 });
  expect(fitting([], 100, 100).columns).toBe(1);
  expect(fitting([4], 300, 2_000).columns).toBe(1);
});

test('another build has other scripts', () => {
  expect(scriptsOf('<script type="module" src="/assets/index-a.js"></script>')).toBe('/assets/index-a.js');
  expect(scriptsOf('<p>unavailable</p>')).toBe('');
});

test('a gap is a gap: after three silent intervals the line ends', () => {
  const at = (second: number, value: number | null) => ({
    ts: new Date(second * 1_000).toISOString(),
    value,
    quality: value === null ? 'sensor_fault' : 'good',
  });
  const answer = {
    bucket: null,
    buckets: null,
    kind: 'measure',
    readings: [at(0, 1), at(30, 2), at(60, null), at(90, 3), at(300, 4)],
  } as unknown as ReadingsOut;
  expect(line(answer, 30).values).toEqual([1, 2, null, 3, null, 4]);
  expect(line(answer, 30).times).toEqual([0, 30, 60, 90, 120, 300]);
  expect(line(answer, null).values).toEqual([1, 2, null, 3, 4]);
});

test('a limit close by is taken into the scale, one far off is not', () => {
  const near = extent({ min: 0.4, max: 0.5 }, [0.35]);
  expect(near.min).toBeLessThan(0.35);
  expect(extent({ min: 0.4, max: 0.5 }, [9]).max).toBeLessThan(1);
});

test('the longer the span, the coarser its figures', () => {
  const over = (length_ms: number) => bucketOf({ from_ms: 0, until_ms: length_ms });
  expect([over(HOUR_MS), over(DAY_MS), over(30 * DAY_MS), over(365 * DAY_MS)]).toEqual([null, '5m', '1h', '1d']);
});

test('four figures, and all of what counts up', () => {
  expect([figure(0.44662), figure(37_994.77), figure(0)]).toEqual(['0.4466', '37,995', '0']);
});
