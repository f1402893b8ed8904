import { useCallback } from 'react';
import type { Language } from '../words/catalogue';
import { say, useWords } from '../words/words';

/** RFC 9457, as the service sends it. */
export type Problem = {
  readonly type?: string;
  readonly title?: string;
  readonly title_zh?: string;
  readonly status?: number;
  readonly detail?: string;
  /** What to show to a person: what is the matter, and what to do. */
  readonly text?: { readonly zh: string; readonly en: string };
  readonly errors?:
    | readonly {
        readonly field: string;
        readonly message: string;
        readonly text: { readonly zh: string; readonly en: string };
      }[]
    | null;
  readonly state?: string | null;
  readonly legal_moves?: readonly string[] | null;
};

/** A request that came to nothing: refused with a problem, or not answered at all (`problem` and `status` are null). */
export class Failed extends Error {
  readonly problem: Problem | null;
  readonly status: number | null;
  readonly retryAfter_s: number | null;

  constructor(problem: Problem | null, response: Response | null, options?: ErrorOptions) {
    super(problem?.detail ?? problem?.title ?? 'no answer', options);
    this.problem = problem;
    this.status = response?.status ?? null;
    const after = Number(response?.headers.get('Retry-After'));
    this.retryAfter_s = Number.isFinite(after) && after > 0 ? after : null;
  }

  /** `not_permitted` of `urn:taizhang:problem:not_permitted`. */
  get kind(): string | null {
    return this.problem?.type?.split(':').at(-1) ?? null;
  }

  /** Whether nothing is known of what happened, so that the same may be sent again. */
  get lost(): boolean {
    return this.status === null || this.status === 502 || this.status === 504;
  }
}

/** What a person reads of a failure: in his language what kind it is, then the service's own detail. */
export function explained(error: unknown, language: Language): string {
  if (!(error instanceof Failed)) return say(language, 'problem.unknown');
  if (error.lost) return say(language, 'problem.lost');
  const { problem } = error;
  const title = (language === 'zh' ? problem?.title_zh : problem?.title) ?? say(language, 'problem.unknown');
  const told = problem?.text?.[language] ?? title;
  // The detail is for those who read English and look closer: figures and names that the text has no place for. What is
  // wrong with a field stands beside it.
  const isClose = language === 'en' && !problem?.errors?.length;
  const detail = isClose && problem?.detail && problem.detail !== told ? [problem.detail] : [];
  const again =
    error.retryAfter_s === null ? [] : [say(language, 'problem.retry_after', { seconds: error.retryAfter_s })];
  return [told, ...detail, ...again].join(' ');
}

/** Which field of a form each fault belongs to, in the reader's words: `body.until` is `until`, and so is `query.until`. */
export function faults(error: unknown, language: Language): ReadonlyMap<string, string> {
  const found = error instanceof Failed ? (error.problem?.errors ?? []) : [];
  return new Map(found.map(each => [each.field.replace(/^(body|query)\./, ''), each.text[language]]));
}

export function useExplained(): (error: unknown) => string {
  const { language } = useWords();
  return useCallback((error: unknown) => explained(error, language), [language]);
}
