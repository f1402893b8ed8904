import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { api, given } from '../api/client';
import { useWords } from './words';

/** The service's own words (states, severities, rules, kinds of facilities): read once, they change with a release only. */
export function useVocabulary() {
  return useQuery({
    queryKey: ['vocabulary'],
    queryFn: () => given(api.GET('/api/v1/vocabulary')),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
    meta: { standing: true },
  }).data;
}

/** `name('shown_state', 'UNACK')`; a key that nobody has words for stands for itself. */
export function useServiceWords() {
  const vocabulary = useVocabulary();
  const { of } = useWords();
  const name = useCallback(
    (section: string, key: string): string => {
      const found = vocabulary?.words[section]?.[key];
      return found ? of(found) : key;
    },
    [vocabulary, of],
  );
  const kind = useCallback(
    (key: string): string => {
      const found = vocabulary?.kinds[key]?.title;
      return found ? of(found) : key;
    },
    [vocabulary, of],
  );
  return { name, kind, vocabulary };
}
