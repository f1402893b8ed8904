import { useInfiniteQuery } from '@tanstack/react-query';
import { Button, Empty, Segmented, Select } from 'antd';
import { useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';
import { api, given } from '../../api/client';
import { useExplained } from '../../api/problem';
import type { QuarantinedOut } from '../../api/schema';
import { Waiting } from '../../app/Waiting';
import { SiteFilter } from '../../session/SiteFilter';
import { useSession } from '../../session/session';
import { useNow_ms } from '../../time/now';
import { duration, moment } from '../../time/spoken';
import { useServiceWords } from '../../words/vocabulary';
import { useTexts, useWords } from '../../words/words';
import { Accept } from './Accept';
import { TEXTS } from './texts';
import '../../app/panels.css';
import './quarantine.css';

/** What speaks of something the ledger does not know: not broken, but not entered. */
const UNKNOWN = ['unknown_facility', 'unknown_point', 'unknown_gateway', 'unknown_site'] as const;
/** What of it can be accepted from here; a site begins with an import. */
const ACCEPTABLE = ['unknown_facility', 'unknown_point', 'unknown_gateway'] as const;
const EVERY_MS = 30_000;

function useQuarantine(site: string | null, reason: string | null) {
  return useInfiniteQuery({
    queryKey: ['quarantine', site, reason],
    queryFn: ({ pageParam, signal }) =>
      given(
        api.GET('/api/v1/quarantine', {
          params: {
            query: {
              limit: 100,
              ...(site === null ? {} : { site }),
              ...(reason === null ? {} : { reason }),
              ...(pageParam === null ? {} : { after: pageParam }),
            },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: page => page.next,
    refetchInterval: EVERY_MS,
  });
}

export default function Quarantine() {
  const { t, of } = useWords();
  const { vocabulary } = useServiceWords();
  const explained = useExplained();
  const [params, setParams] = useSearchParams();
  const [site, reason] = [params.get('site'), params.get('reason')];
  const asked = useQuarantine(site, reason);
  const change = (name: string, value: string | null) => {
    const next = new URLSearchParams(params);
    if (value === null) next.delete(name);
    else next.set(name, value);
    setParams(next, { replace: true });
  };
  const found = useMemo(() => asked.data?.pages.flatMap(page => page.items) ?? [], [asked.data]);
  const isUnknown = (each: QuarantinedOut) => (UNKNOWN as readonly string[]).includes(each.reason.key);
  const which = params.get('which') === 'faulty' ? 'faulty' : 'unknown';
  const shown = reason === null ? found.filter(each => isUnknown(each) === (which === 'unknown')) : found;
  return (
    <div className="quarantine">
      <search className="filters">
        <Segmented
          aria-label={t('quarantine.which')}
          disabled={reason !== null}
          value={which}
          options={(['unknown', 'faulty'] as const).map(value => ({ value, label: t(`quarantine.which_${value}`) }))}
          onChange={value => change('which', value)}
        />
        <SiteFilter label={t('quarantine.site')} value={site} onChange={chosen => change('site', chosen)} />
        <Select
          aria-label={t('quarantine.reason')}
          allowClear
          className="quarantine-reason"
          placeholder={t('quarantine.reason')}
          value={reason}
          options={Object.entries(vocabulary?.words.quarantine_reason ?? {}).map(([value, name]) => ({
            value,
            label: of(name),
          }))}
          onChange={chosen => change('reason', chosen ?? null)}
        />
      </search>
      {reason === null && <p className="faint quarantine-hint">{t(`quarantine.hint_${which}`)}</p>}
      {asked.isPending && <Waiting />}
      {asked.isError && (
        <p className="refused" role="alert">
          {explained(asked.error)}
        </p>
      )}
      {asked.isSuccess && shown.length === 0 && <Empty description={t('quarantine.none')} />}
      <ul className="refusals">
        {shown.map(each => (
          <Refused key={`${each.site}/${each.topic}/${each.reason.key}`} refused={each} />
        ))}
      </ul>
      {asked.hasNextPage && (
        <Button block loading={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>
          {t('quarantine.older')}
        </Button>
      )}
    </div>
  );
}

function Refused({ refused }: { refused: QuarantinedOut }) {
  const { t, of, language } = useWords();
  const say = useTexts(TEXTS);
  const { me, can } = useSession();
  const [accepting, setAccepting] = useState(false);
  const mayAccept = (ACCEPTABLE as readonly string[]).includes(refused.reason.key) && can('estate', refused.site);
  const now_ms = useNow_ms();
  const site = me?.sites.find(each => each.site === refused.site)?.name;
  const newest = refused.samples[0];
  return (
    <li className="panel refusal-row">
      <div className="refusal-top">
        <strong>{of(refused.reason)}</strong>
        <span className="count" title={t('quarantine.count')}>
          {t('quarantine.times', { n: refused.count })}
        </span>
        <span className="faint">
          {t('quarantine.last', { time: duration(language, now_ms - Date.parse(refused.last_at)) })}
        </span>
        <span className="faint">{t('quarantine.first', { at: moment(language, refused.first_at, now_ms) })}</span>
        {site && <span className="faint">{of(site)}</span>}
      </div>
      <code className="topic">{refused.topic}</code>
      {newest && <p className="refusal-detail">{newest.detail}</p>}
      {mayAccept && (
        <Button className="refusal-accept" onClick={() => setAccepting(true)}>
          {say('accept')}
        </Button>
      )}
      {accepting && <Accept refused={refused} onClose={() => setAccepting(false)} />}
      <details>
        <summary>{t('quarantine.samples', { n: refused.samples.length })}</summary>
        <ol className="lines">
          {refused.samples.map(each => (
            <li key={`${each.at}${each.payload}`} className="sample">
              <time dateTime={each.at} className="faint">
                {moment(language, each.at, now_ms)}
              </time>
              {each.encoding === 'base64' && <span className="faint">{t('quarantine.base64')}</span>}
              {each.truncated && <span className="faint">{t('quarantine.truncated')}</span>}
              <span>{each.detail}</span>
              <pre>{each.payload}</pre>
            </li>
          ))}
        </ol>
      </details>
    </li>
  );
}
