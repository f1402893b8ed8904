import type { Language } from '../words/catalogue';

const TAGS = { zh: 'zh-CN', en: 'en-GB' } as const;
const DAY_S = 86_400;

/** A moment under the time axis: seconds, minutes, days or months, as the steps between the marks are. */
export function axisTime(language: Language, at_s: number, step_s: number): string {
  const date = new Date(at_s * 1_000);
  const midnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
  const options: Intl.DateTimeFormatOptions =
    step_s >= 28 * DAY_S
      ? { year: '2-digit', month: '2-digit' }
      : step_s >= DAY_S || midnight
        ? { month: '2-digit', day: '2-digit' }
        : step_s >= 60
          ? { hour: '2-digit', minute: '2-digit' }
          : { hour: '2-digit', minute: '2-digit', second: '2-digit' };
  return new Intl.DateTimeFormat(TAGS[language], { hour12: false, ...options }).format(date);
}
