import type { AlarmOut, AlarmRow, FacilityOut, Priority, ShownState } from '../api/schema';

export const PRIORITIES: readonly Priority[] = ['urgent', 'high', 'medium', 'low'];
const HIDDEN: ReadonlySet<ShownState> = new Set<ShownState>(['SHLVD', 'DSUPR', 'OOSRV']);
const UNANSWERED: ReadonlySet<ShownState> = new Set<ShownState>(['UNACK', 'RTNUN', 'LATUN']);
const OVER: ReadonlySet<ShownState> = new Set<ShownState>(['RTNUN', 'LATUN', 'LATACK']);

/** Shelved, suppressed or out of service: it does not ask for anybody now. */
export const isHidden = (alarm: AlarmOut) => HIDDEN.has(alarm.shown);
/** Nobody has acknowledged it yet. */
export const isUnanswered = (alarm: AlarmOut) => UNANSWERED.has(alarm.shown);
/** What it was raised for is back to normal. */
export const isOver = (alarm: AlarmOut) => OVER.has(alarm.shown);

/** Raised because a day has come, and can wait for another: it stands behind everything that is wrong now. */
export const isOfCalendar = (alarm: AlarmOut) => alarm.by_calendar && alarm.priority !== 'urgent';

/** Worst first: not acknowledged, then priority, then the one that stands longest; those of the calendar last. */
export function byUrgency(one: AlarmOut, other: AlarmOut): number {
  return (
    Number(isOfCalendar(one)) - Number(isOfCalendar(other)) ||
    Number(isUnanswered(other)) - Number(isUnanswered(one)) ||
    PRIORITIES.indexOf(one.priority) - PRIORITIES.indexOf(other.priority) ||
    one.raised_at.localeCompare(other.raised_at) ||
    one.id - other.id
  );
}

/** How things stand at some facilities: what one tile or row says about them. */
export type Standing = {
  /** The alarms that ask for somebody, most urgent first. */
  readonly alarms: readonly AlarmOut[];
  readonly unanswered: number;
  /** The highest priority of `alarms`, of the calendar's only where there are no others; null: nothing is wrong that anybody knows of. */
  readonly worst: Priority | null;
  /** The one to name: of that priority, not acknowledged before acknowledged. */
  readonly first: AlarmOut | null;
  readonly hidden: number;
  /** Facilities whose gateway is offline: what they show is old. */
  readonly silent: number;
};

export function standing(facilities: readonly FacilityOut[], alarms: readonly AlarmOut[]): Standing {
  const asking = alarms.filter(alarm => !isHidden(alarm)).sort(byUrgency);
  const now = asking.filter(alarm => !isOfCalendar(alarm));
  const judged = now.length > 0 ? now : asking;
  const worst = PRIORITIES.find(priority => judged.some(alarm => alarm.priority === priority)) ?? null;
  return {
    alarms: asking,
    unanswered: asking.filter(isUnanswered).length,
    worst,
    first: judged.find(alarm => alarm.priority === worst) ?? null,
    hidden: alarms.length - asking.length,
    silent: facilities.filter(facility => facility.gateway?.online === false).length,
  };
}

/** The priority of the alarm that rests on a point now. One that is over is in the lists; its point is normal again. */
export function abnormal(rows: readonly AlarmRow[]): ReadonlyMap<string, Priority> {
  const asking = rows
    .filter(row => !isHidden(row.alarm) && !isOver(row.alarm))
    .sort((one, other) => byUrgency(other.alarm, one.alarm));
  return new Map(asking.flatMap(row => (row.ground ? [[row.ground.point, row.alarm.priority]] : [])));
}
