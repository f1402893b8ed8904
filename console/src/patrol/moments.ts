/** Moments in the phone's own time zone: a guard stands at the site. */

const pad = (n: number) => String(n).padStart(2, '0');

export function clock(moment: string | number | Date): string {
  const at = new Date(moment);
  return `${pad(at.getHours())}:${pad(at.getMinutes())}`;
}

export function dayAndClock(moment: string | number | Date): string {
  const at = new Date(moment);
  return `${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${clock(at)}`;
}

export function span(from: string, until: string): string {
  const sameDay = new Date(from).toDateString() === new Date(until).toDateString();
  return `${dayAndClock(from)} – ${sameDay ? clock(until) : dayAndClock(until)}`;
}
