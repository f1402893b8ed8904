/** Reports and rounds as the service tells them. */
import { api, given } from '../../api/client';
import type { ReportOut, RoundLine } from '../../api/schema';

export type Figures = ReportOut['figures'];
export type Rounds = Figures['rounds'];
export type { ReportOut, RoundLine };

export const REPORTS = ['inspection-reports'] as const;
export const UNSIGNED = ['inspection-unsigned'] as const;
const LOOK_BACK_MS = 31 * 86_400_000;

export const reportKey = (report: number) => ['inspection-report', report] as const;

export const fileOf = (report: number, file: 'document.pdf' | 'figures.xlsx', language: string) =>
  `/api/v1/inspection-reports/${report}/${file}?language=${language}`;

/** Rounds that have ended and lack a signature, the newest first. */
export async function unsigned(site: string | null, now_ms: number, signal: AbortSignal): Promise<RoundLine[]> {
  const query = {
    ...(site === null ? {} : { site }),
    from: new Date(now_ms - LOOK_BACK_MS).toISOString(),
    until: new Date(now_ms).toISOString(),
  };
  const { items } = await given(api.GET('/api/v1/inspection-rounds', { params: { query }, signal }));
  return items.filter(each => each.unsigned.length > 0).toReversed();
}
