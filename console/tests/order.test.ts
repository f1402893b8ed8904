import { expect, test } from 'vitest';
import { runs, scale } from '../src/drawn/Trend';
import { presets, shelvingOf } from '../src/pages/alarms/Dialogs';
import { compared, EVERYTHING, FLOOD_MS, grouped, held, isFlood, isWanted, type Line } from '../src/pages/alarms/order';
import { type AlarmRow, merged } from '../src/pages/alarms/rows';
import { duration } from '../src/time/spoken';

const NOON = Date.parse('2026-06-01T12:00:00Z');

type Parts = {
  id: number;
  ago_s?: number;
  shown?: string;
  priority?: string;
  rule?: string;
  version?: number;
  ended?: boolean;
  area?: string;
  site?: string;
  calendar?: boolean;
};

function row({
  id,
  ago_s = 0,
  shown = 'UNACK',
  priority = 'high',
  rule = 'flood',
  version = 1,
  ended = false,
  area = 'pump_room',
  site = 'garden',
  calendar = false,
}: Parts): AlarmRow {
  const words = (text: string) => ({ zh: text, en: text });
  return {
    alarm: {
      id,
      version,
      shown,
      priority,
      rule,
      kind: 'booster_pump_room',
      part: null,
      title: words(`title of ${rule}`),
      by_calendar: calendar,
      facility: { site, key: 'booster', name: words('Booster'), grade: 'A' },
      raised_at: new Date(NOON - ago_s * 1_000).toISOString(),
      ended_at: ended ? new Date(NOON).toISOString() : null,
      work_orders: [],
    },
    area: { key: area, name: words(area) },
    ground: null,
    orders: [{ id: 7, state: 'dispatched', assignee: '张师傅', due: null }],
    legal_moves: [],
    shelving: { seconds_max: 3_600, note_required: true },
    shelved_by: null,
    out_of_service_reason: null,
  } as unknown as AlarmRow;
}

const table = (...rows: AlarmRow[]) => new Map(rows.map(each => [each.alarm.id, each]));
const told = (lines: readonly Line[]) =>
  lines.map(each => (each.kind === 'alarm' ? each.row.alarm.id : each.rows.map(one => one.alarm.id)));
const ids = (rows: Iterable<AlarmRow>) => [...rows].map(each => each.alarm.id);

test('a newer version wins, whatever comes first; what has ended goes and does not come back', () => {
  const known = table(row({ id: 1, version: 5 }));
  expect(merged(known, [row({ id: 1, version: 4, shown: 'ACKED' })]).get(1)?.alarm.shown).toBe('UNACK');
  expect(merged(known, [row({ id: 1, version: 6, shown: 'ACKED' })]).get(1)?.alarm.shown).toBe('ACKED');
  expect(merged(known, [row({ id: 1, version: 6, ended: true })]).size).toBe(0);
  expect(merged(new Map(), [row({ id: 2, ended: true })]).size).toBe(0);
});

test('unacknowledged first, then the more urgent, then the newer', () => {
  const rows = [
    row({ id: 1, priority: 'urgent', shown: 'ACKED' }),
    row({ id: 2, priority: 'low' }),
    row({ id: 3, priority: 'high', ago_s: 60 }),
    row({ id: 4, priority: 'high' }),
  ];
  expect(ids(rows.toSorted(compared('importance')))).toEqual([4, 3, 2, 1]);
  expect(ids(rows.toSorted(compared('newest')))).toEqual([4, 2, 1, 3]);
});

test('what is hidden on purpose is not in the list, and every filter narrows', () => {
  for (const shown of ['SHLVD', 'DSUPR', 'OOSRV']) expect(isWanted(row({ id: 1, shown }), EVERYTHING)).toBe(false);
  expect(isWanted(row({ id: 1, shown: 'ACKED' }), { ...EVERYTHING, unacknowledged: true })).toBe(false);
  expect(isWanted(row({ id: 1 }), { ...EVERYTHING, priorities: ['low'] })).toBe(false);
  expect(isWanted(row({ id: 1 }), { ...EVERYTHING, grades: ['A'], sites: ['garden'] })).toBe(true);
  expect(isWanted(row({ id: 1 }), { ...EVERYTHING, words: ' 张师傅 BOOST ' })).toBe(true);
  expect(isWanted(row({ id: 1 }), { ...EVERYTHING, words: 'lift' })).toBe(false);
});

test('eleven in ten minutes are a flood, ten are not, and old ones do not count', () => {
  const many = Array.from({ length: 10 }, (_, id) => row({ id, ago_s: 60 * id }));
  expect(isFlood(many, NOON)).toBe(false);
  expect(isFlood([...many, row({ id: 10 })], NOON)).toBe(true);
  expect(isFlood([...many, row({ id: 10, ago_s: FLOOD_MS / 1_000 })], NOON)).toBe(false);
  expect(isFlood([...many, row({ id: 10, shown: 'SHLVD' })], NOON)).toBe(false);
  expect(isFlood([...many, row({ id: 10, calendar: true }), row({ id: 11, calendar: true })], NOON)).toBe(false);
  expect(isFlood([...many, row({ id: 10, calendar: true, priority: 'urgent' })], NOON)).toBe(true);
});

test('grouped by place and cause; what endangers life stands above, one alone is no group', () => {
  const rows = [
    row({ id: 1, rule: 'low' }),
    row({ id: 2, rule: 'low' }),
    row({ id: 3, rule: 'low', area: 'roof' }),
    row({ id: 4, priority: 'urgent', rule: 'low' }),
  ];
  const lines = grouped(rows, new Set(), true);
  expect(told(lines)).toEqual([4, [1, 2], 3]);
  const [, group] = lines;
  const open = grouped(rows, new Set(group ? [group.key] : []), true);
  expect(open.map(each => each.kind)).toEqual(['alarm', 'group', 'alarm', 'alarm', 'alarm']);
});

test('of the calendar one line for each site and rule, wherever it hangs, behind everything that is wrong now', () => {
  const ended = { rule: 'equipment_ended', calendar: true } as const;
  const rows = [
    row({ id: 1, ...ended, priority: 'medium', area: 'lobby' }),
    row({ id: 2, ...ended, priority: 'low', area: 'roof' }),
    row({ id: 3, ...ended, site: 'harbour' }),
    row({ id: 4, rule: 'round_missed', calendar: true }),
    row({ id: 5, rule: 'low', shown: 'ACKED', priority: 'low' }),
    row({ id: 6, rule: 'low', shown: 'ACKED', priority: 'low' }),
    row({ id: 7, shown: 'ACKED', priority: 'urgent' }),
  ];
  expect(told(grouped(rows, new Set(), false))).toEqual([5, 6, 7, [1, 2], 3, 4]);
  expect(told(grouped(rows, new Set(), true))).toEqual([7, [5, 6], [1, 2], 3, 4]);
  expect(told(grouped(rows, new Set(['garden/equipment_ended']), false))).toEqual([5, 6, 7, [1, 2], 1, 2, 3, 4]);
});

test('under a hand everything keeps its place, figures change, and what ended stands', () => {
  const before = [row({ id: 1 }), row({ id: 2 })];
  const found = held(before, table(row({ id: 3 }), row({ id: 2, shown: 'ACKED' })));
  expect(ids(found.rows)).toEqual([1, 2]);
  expect(found.rows[1]?.alarm.shown).toBe('ACKED');
  expect([...found.gone]).toEqual([1]);
});

test('shelving offers what every one of them may have', () => {
  const short = { ...row({ id: 2 }), shelving: { seconds_max: 1_800, note_required: false } };
  expect(shelvingOf([row({ id: 1 }), short])).toEqual({ minutes_max: 30, note_required: true });
  expect(presets(60)).toEqual([15, 30, 60]);
  expect(presets(5)).toEqual([5]);
  expect(presets(0)).toEqual([]);
});

test('a gap in a trend is a gap, and the limit is on the scale', () => {
  const slot = (minute: number, value: number) => ({
    ts: new Date(NOON + minute * 60_000).toISOString(),
    min: value,
    max: value,
    last: value,
  });
  expect(runs([slot(0, 1), slot(30, 2), slot(120, 3)], 1_800_000).map(each => each.length)).toEqual([2, 1]);
  const y = scale([slot(0, 1)], 5);
  expect(y(5)).toBeLessThan(y(1));
  expect(scale([slot(0, 1)], null)(1)).toBe(17);
});

test('durations say two figures and never more than has passed', () => {
  expect(duration('en', 59_999)).toBe('59 s');
  expect(duration('en', 3_600_000 * 25)).toBe('1 d 1 h');
  expect(duration('zh', 3_600_000 * 2)).toBe('2 小时');
});
