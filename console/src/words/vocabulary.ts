import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { api, given } from '../api/client';
import { useWords } from './words';

/** The service's own words (states, severities, rules, kinds of facilities): read once, they change with a release only. */
export function useVocabulary() {
  return useVocabularyQuery().data;
}

function useVocabularyQuery() {
  return useQuery({
    queryKey: ['vocabulary'],
    queryFn: () => given(api.GET('/api/v1/vocabulary')),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
    meta: { standing: true },
  });
}

/** While the words are on their way nothing is better than a key, which reads like a fault of the screen. */
const COMING = '…';

/** `name('shown_state', 'UNACK')`; a key that nobody has words for stands for itself. */
export function useServiceWords() {
  const { data: vocabulary, isPending } = useVocabularyQuery();
  const { of } = useWords();
  const name = useCallback(
    (section: string, key: string): string => {
      const found = own(own(vocabulary?.words, section), key);
      return found ? of(found) : isPending ? COMING : key;
    },
    [vocabulary, isPending, of],
  );
  const kind = useCallback(
    (key: string): string => {
      const found = own(vocabulary?.kinds, key)?.title;
      return found ? of(found) : isPending ? COMING : key;
    },
    [vocabulary, isPending, of],
  );
  return { name, kind, vocabulary };
}

/** Keys come from anybody: `constructor` is what every object inherits, and no word. */
function own<T>(of: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return of !== undefined && Object.hasOwn(of, key) ? of[key] : undefined;
}
