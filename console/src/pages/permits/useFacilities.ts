import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { api, given } from '../../api/client';

/** Facilities of a site whose key or name has the words in it; the first hundred. */
export function useFacilities(site: string | undefined, words: string) {
  const wanted = words.trim().slice(0, 100);
  return useQuery({
    queryKey: ['facility-search', site, wanted],
    enabled: site !== undefined,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => {
      const query = { site: site ?? '', limit: 100, ...(wanted === '' ? {} : { words: wanted }) };
      return (await given(api.GET('/api/v1/facilities', { params: { query }, signal }))).items;
    },
  });
}
