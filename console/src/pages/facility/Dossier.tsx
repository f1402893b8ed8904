import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { api, given } from '../../api/client';
import { useExplained } from '../../api/problem';
import type { DossierPage } from '../../api/schema';
import { Waiting } from '../../app/Waiting';
import type { Where } from '../../estate/facility';
import { useNow_ms } from '../../time/now';
import { moment } from '../../time/spoken';
import { useTexts, useWords } from '../../words/words';
import { TEXTS } from './texts';

const PAGE = 50;

/** Everything that ever happened here, newest first, and whether the chain of it is unbroken. */
export function Dossier({ where: { site, facility } }: { where: Where }) {
  const say = useTexts(TEXTS);
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
            <Entry key={entry.seq} entry={entry} />
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

function Entry({ entry }: { entry: DossierPage['items'][number] }) {
  const { of, language } = useWords();
  const say = useTexts(TEXTS);
  const now_ms = useNow_ms();
  return (
    <li value={entry.seq}>
      <details>
        <summary>
          <span className="entry-at">{moment(language, entry.recorded_at, now_ms)}</span>
          <strong>{of(entry.kind_name)}</strong> <span className="entry-short">{short(entry.body)}</span>
        </summary>
        <pre>{JSON.stringify(entry.body, null, 2)}</pre>
        <p className="entry-hash">
          {say('hash')} {entry.hash}
        </p>
      </details>
    </li>
  );
}

/** The first plain words of an entry: who and what, as it was written down. */
function short(body: Readonly<Record<string, unknown>>): string {
  return ['rule', 'name', 'move', 'to_state', 'text', 'note', 'actor', 'author', 'reason', 'value']
    .flatMap(key => (typeof body[key] === 'string' || typeof body[key] === 'number' ? [String(body[key])] : []))
    .slice(0, 4)
    .join(' · ');
}
