import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { useCallback } from 'react';
import { api, given } from '../../api/client';
import { useExplained } from '../../api/problem';
import type { DossierPage } from '../../api/schema';
import { Waiting } from '../../app/Waiting';
import type { Where } from '../../estate/facility';
import { useNow_ms } from '../../time/now';
import { moment } from '../../time/spoken';
import { useServiceWords } from '../../words/vocabulary';
import { useTexts, useWords } from '../../words/words';
import { TEXTS } from './texts';

const PAGE = 50;

/** Everything that ever happened here, newest first, and whether the chain of it is unbroken. */
export function Dossier({ where: { site, facility }, kind }: { where: Where; kind: string }) {
  const say = useTexts(TEXTS);
  const short = useShort(kind);
  const explained = useExplained();
  const path = { site, facility };
  const pages = useInfiniteQuery({
    queryKey: ['facility', site, facility, 'dossier'],
    queryFn: ({ pageParam }) =>
      given(
        api.GET('/api/v1/facilities/{site}/{facility}/dossier', {
          params: { path, query: { newest_first: true, limit: PAGE, ...(pageParam !== '' && { after: pageParam }) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: page => page.next ?? undefined,
  });
  const chain = useQuery({
    queryKey: ['facility', site, facility, 'chain'],
    queryFn: () => given(api.GET('/api/v1/facilities/{site}/{facility}/dossier/verification', { params: { path } })),
  });
  if (pages.isError) return <p role="alert">{explained(pages.error)}</p>;
  if (!pages.data) return <Waiting />;
  return (
    <div className="dossier">
      {chain.data && (
        <p className={chain.data.holds ? 'chain' : 'chain chain-broken'} role={chain.data.holds ? undefined : 'alert'}>
          {chain.data.holds ? say('holds', { n: chain.data.length }) : say('broken', { n: chain.data.broken_at ?? 0 })}
        </p>
      )}
      <ol className="entries" reversed>
        {pages.data.pages
          .flatMap(page => page.items)
          .map(entry => (
            <Entry key={entry.seq} entry={entry} short={short} />
          ))}
      </ol>
      {pages.hasNextPage && (
        <Button onClick={() => void pages.fetchNextPage()} loading={pages.isFetchingNextPage}>
          {say('more')}
        </Button>
      )}
    </div>
  );
}

function Entry({ entry, short }: { entry: DossierPage['items'][number]; short: ReturnType<typeof useShort> }) {
  const { of, language } = useWords();
  const say = useTexts(TEXTS);
  const now_ms = useNow_ms();
  return (
    <li value={entry.seq}>
      <details>
        <summary>
          <span className="entry-at">{moment(language, entry.recorded_at, now_ms)}</span>
          <strong>{of(entry.kind_name)}</strong> <span className="entry-short">{short(entry)}</span>
        </summary>
        <pre>{JSON.stringify(entry.body, null, 2)}</pre>
        <p className="entry-hash">
          {say('hash')} {entry.hash}
        </p>
      </details>
    </li>
  );
}

/** What an entry says, in the reader's words where the service has them: a rule's title, a move, who and why. */
function useShort(kind: string): (entry: DossierPage['items'][number]) => string {
  const { of } = useWords();
  const { name, vocabulary } = useServiceWords();
  return useCallback(
    ({ kind: what, body }) => {
      const told = (key: string) => {
        const value = body[key];
        return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
      };
      const titles = (section: 'rules' | 'parameters', key: string) => {
        const found = [kind, 'any'].flatMap(each => vocabulary?.kinds[each]?.[section][key] ?? [])[0];
        return found === undefined ? key : of('title' in found ? found.title : found);
      };
      const words: Readonly<Record<string, (key: string) => string>> = {
        rule: key => titles('rules', key),
        name: key => titles('parameters', key.slice(key.lastIndexOf('.') + 1)),
        move: key => name(MOVES[what] ?? '', key),
        actor: key => name('actor', key),
        reason: key => name(REASONS[what] ?? '', key),
        outcome: key => name('visit_outcome', key),
        verdict: key => name('visit_verdict', key),
      };
      return SAID.flatMap(key => {
        const value = told(key);
        return value === null ? [] : [words[key]?.(value) ?? value];
      })
        .slice(0, WORDS_MAX)
        .join(' · ');
    },
    [kind, name, vocabulary, of],
  );
}

const WORDS_MAX = 5;
const SAID = [
  'rule',
  'name',
  'value',
  'move',
  'outcome',
  'verdict',
  'number',
  'text',
  'note',
  'actor',
  'author',
  'reason',
] as const;
const MOVES: Readonly<Record<string, string>> = {
  condition: 'condition_move',
  work_order: 'work_order_move',
  tag: 'tag_move',
  fitness: 'fitness_move',
  certificate: 'certificate_move',
  place_photo: 'place_photo_move',
};
const REASONS: Readonly<Record<string, string>> = { condition: 'condition_reason', work_order: 'order_reason' };
