import type { Language } from '../words/catalogue';
import { say } from '../words/words';

const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;

/** `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`: two figures at most, never a rounding up. Negative counts as its size. */
export function duration(language: Language, milliseconds: number): string {
  const seconds = Math.floor(Math.abs(milliseconds) / 1_000);
  if (seconds < MINUTE_S) return say(language, 'time.s', { n: seconds });
  if (seconds < HOUR_S) return say(language, 'time.m', { n: Math.floor(seconds / MINUTE_S) });
  if (seconds < DAY_S) {
    const [h, m] = [Math.floor(seconds / HOUR_S), Math.floor((seconds % HOUR_S) / MINUTE_S)];
    return m === 0 ? say(language, 'time.h', { n: h }) : say(language, 'time.hm', { h, m });
  }
  const [d, h] = [Math.floor(seconds / DAY_S), Math.floor((seconds % DAY_S) / HOUR_S)];
  return h === 0 ? say(language, 'time.d', { n: d }) : say(language, 'time.dh', { d, h });
}

const TAGS = { zh: 'zh-CN', en: 'en-GB' } as const;
const formats = new Map<string, Intl.DateTimeFormat>();

function format(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options);
  const found = formats.get(key) ?? new Intl.DateTimeFormat(TAGS[language], { hour12: false, ...options });
  formats.set(key, found);
  return found;
}

const TIME = { hour: '2-digit', minute: '2-digit', second: '2-digit' } as const;

/** Time of day; with the date where it is another day than `now_ms`. */
export function moment(language: Language, at: string | number, now_ms: number): string {
  const date = new Date(at);
  const now = new Date(now_ms);
  if (date.toDateString() === now.toDateString()) return format(language, TIME).format(date);
  const withDate: Intl.DateTimeFormatOptions = { month: '2-digit', day: '2-digit', ...TIME };
  if (date.getFullYear() !== now.getFullYear()) return format(language, { year: 'numeric', ...withDate }).format(date);
  return format(language, withDate).format(date);
}
