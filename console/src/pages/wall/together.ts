import type { AlarmOut } from '../../api/schema';
import { isOfCalendar } from '../../estate/standing';

/** One after another as they come; what the calendar raised at one site by one rule stands together, where its first does. */
export function together(alarms: readonly AlarmOut[]): readonly (readonly AlarmOut[])[] {
  const heaps = new Map<string, AlarmOut[]>();
  for (const alarm of alarms) {
    const key = isOfCalendar(alarm) ? `${alarm.facility.site}/${alarm.rule}` : String(alarm.id);
    const heap = heaps.get(key);
    if (heap === undefined) heaps.set(key, [alarm]);
    else heap.push(alarm);
  }
  return [...heaps.values()];
}
