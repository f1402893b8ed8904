import { isHidden as hidden, isOfCalendar, isUnanswered, PRIORITIES } from '../../estate/standing';
import type { AlarmRow } from './rows';

/** What a person chose to see; kept with the person. */
export type Wanted = {
  readonly sites: readonly string[];
  readonly priorities: readonly string[];
  readonly grades: readonly string[];
  readonly unacknowledged: boolean;
  readonly words: string;
  readonly sort: 'importance' | 'newest';
  readonly grouping: 'auto' | 'on' | 'off';
};

export const EVERYTHING: Wanted = {
  sites: [],
  priorities: [],
  grades: [],
  unacknowledged: false,
  words: '',
  sort: 'importance',
  grouping: 'auto',
};

/** Shelved, suppressed and out of service are on the shelf's page: hidden here, and counted. */
export function isHidden(row: AlarmRow): boolean {
  return hidden(row.alarm);
}

export function isUnacknowledged(row: AlarmRow): boolean {
  return isUnanswered(row.alarm);
}

export function isWanted(row: AlarmRow, wanted: Wanted): boolean {
  const { alarm } = row;
  const among = (chosen: readonly string[], value: string) => chosen.length === 0 || chosen.includes(value);
  if (isHidden(row)) return false;
  if (!among(wanted.sites, alarm.facility.site) || !among(wanted.priorities, alarm.priority)) return false;
  if (!among(wanted.grades, alarm.facility.grade)) return false;
  if (wanted.unacknowledged && !isUnacknowledged(row)) return false;
  const words = wanted.words.trim().toLowerCase();
  if (words === '') return true;
  const names = [alarm.title, alarm.facility.name, row.area.name].flatMap(each => [each.zh, each.en]);
  const said = [
    ...names,
    alarm.rule,
    alarm.facility.key,
    alarm.part ?? '',
    ...row.orders.map(each => each.assignee ?? ''),
  ];
  return words.split(/\s+/).every(word => said.some(each => each.toLowerCase().includes(word)));
}

function rank(row: AlarmRow): number {
  return PRIORITIES.indexOf(row.alarm.priority);
}

/** Unacknowledged before acknowledged, the more urgent first, the newer first; or simply the newer first. */
export function compared(sort: Wanted['sort']): (a: AlarmRow, b: AlarmRow) => number {
  return (a, b) => {
    if (sort === 'importance') {
      const seen = Number(isUnacknowledged(b)) - Number(isUnacknowledged(a));
      if (seen !== 0) return seen;
      if (rank(a) !== rank(b)) return rank(a) - rank(b);
    }
    return Date.parse(b.alarm.raised_at) - Date.parse(a.alarm.raised_at) || b.alarm.id - a.alarm.id;
  };
}

export const FLOOD_ALARMS = 10;
export const FLOOD_MS = 10 * 60_000;

/**
 * More alarms in ten minutes than a person can take in one by one (ISA-18.2: ten). Those of the calendar come in heaps and
 * want nothing done within minutes: they make no flood.
 */
export function isFlood(rows: Iterable<AlarmRow>, now_ms: number): boolean {
  let recent = 0;
  for (const row of rows)
    if (
      !(isHidden(row) || isOfCalendar(row.alarm)) &&
      now_ms - Date.parse(row.alarm.raised_at) < FLOOD_MS &&
      ++recent > FLOOD_ALARMS
    )
      return true;
  return false;
}

/** A line of the list: an alarm, or the heading of those with one cause at one place, or at one site by the calendar. */
export type Line =
  | { readonly kind: 'alarm'; readonly key: string; readonly row: AlarmRow }
  | { readonly kind: 'group'; readonly key: string; readonly rows: readonly AlarmRow[]; readonly open: boolean };

export function groupKey(row: AlarmRow): string {
  const { facility, kind, rule } = row.alarm;
  return (isOfCalendar(row.alarm) ? [facility.site, rule] : [facility.site, row.area.key, kind, rule]).join('/');
}

/**
 * What the calendar raised stands last, by site and cause wherever it hangs. Before it, in a flood, what endangers life
 * stands alone above all groups by place and cause; else each alarm in its order.
 */
export function grouped(rows: readonly AlarmRow[], open: ReadonlySet<string>, flood: boolean): readonly Line[] {
  const calendar = rows.filter(row => isOfCalendar(row.alarm));
  const others = rows.filter(row => !isOfCalendar(row.alarm));
  if (!flood) return [...others.map(alarmLine), ...headed(calendar, open)];
  const alone = others.filter(row => row.alarm.priority === 'urgent');
  const rest = others.filter(row => row.alarm.priority !== 'urgent');
  return [...alone.map(alarmLine), ...headed(rest, open), ...headed(calendar, open)];
}

/** One alarm by itself is no group. */
function headed(rows: readonly AlarmRow[], open: ReadonlySet<string>): readonly Line[] {
  const groups = new Map<string, AlarmRow[]>();
  for (const row of rows) {
    const key = groupKey(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups].flatMap(([key, found]): Line[] => {
    const [first] = found;
    if (first !== undefined && found.length === 1) return [alarmLine(first)];
    const heading: Line = { kind: 'group', key, rows: found, open: open.has(key) };
    return open.has(key) ? [heading, ...found.map(alarmLine)] : [heading];
  });
}

export function alarmLine(row: AlarmRow): Line {
  return { kind: 'alarm', key: String(row.alarm.id), row };
}

/**
 * The list while somebody's hand is on it: what stands there keeps its place and only its figures change; what is new
 * waits. `gone`: has ended meanwhile, and stands as it was last until the hand is off.
 */
export function held(
  before: readonly AlarmRow[],
  rows: ReadonlyMap<number, AlarmRow>,
): { readonly rows: readonly AlarmRow[]; readonly gone: ReadonlySet<number> } {
  return {
    rows: before.map(row => rows.get(row.alarm.id) ?? row),
    gone: new Set(before.map(row => row.alarm.id).filter(id => !rows.has(id))),
  };
}
