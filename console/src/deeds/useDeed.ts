import { useCallback, useRef, useState } from 'react';
import { deedKey } from '../api/client';
import { Failed, faults, useExplained } from '../api/problem';
import { useWords } from '../words/words';

/** `taken`: somebody else was first. Faults are by field of the form; `said` is the rest of it, in words. */
export type Refusal = {
  readonly said: string;
  readonly faults: ReadonlyMap<string, string>;
  readonly taken: boolean;
  readonly lost: boolean;
};

/**
 * Does something once: the same content sent again after a lost answer carries the same key, so that the service knows
 * it; other content, or the next deed, another. What was refused stands in `refusal` until the next attempt.
 */
export function useDeed<Content, Answer>(
  send: (content: Content, key: string) => Promise<Answer>,
  done: (answer: Answer) => void,
) {
  const explained = useExplained();
  const { language } = useWords();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const attempt = useRef<{ said: string; key: string } | null>(null);
  const act = useCallback(
    async (content: Content): Promise<boolean> => {
      const said = JSON.stringify(content);
      if (attempt.current?.said !== said) attempt.current = { said, key: deedKey() };
      setBusy(true);
      setRefusal(null);
      try {
        const answer = await send(content, attempt.current.key);
        attempt.current = null;
        done(answer);
        return true;
      } catch (error) {
        const status = error instanceof Failed ? error.status : null;
        if (status !== null && status < 500) attempt.current = null; // refused: the next attempt is another deed
        setRefusal({
          said: explained(error),
          faults: faults(error, language),
          taken: status === 409,
          lost: error instanceof Failed && error.lost,
        });
        return false;
      } finally {
        setBusy(false);
      }
    },
    [send, done, explained, language],
  );
  const forget = useCallback(() => setRefusal(null), []);
  return { act, busy, refusal, forget };
}
