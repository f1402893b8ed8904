import { DownloadOutlined } from '@ant-design/icons';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Button, Empty, Input, Select } from 'antd';
import { useSearchParams } from 'react-router';
import { api, given } from '../../api/client';
import { useExplained } from '../../api/problem';
import { Scrolled } from '../../app/Scrolled';
import { Waiting } from '../../app/Waiting';
import { useSession } from '../../session/session';
import { fromLocal } from '../../time/local';
import { useNow_ms } from '../../time/now';
import { moment } from '../../time/spoken';
import { useWords } from '../../words/words';
import '../../app/panels.css';
import './audit-log.css';

const FILTERS = ['site', 'operation', 'outcome', 'from', 'until'] as const;
type Filter = (typeof FILTERS)[number];

/** As the service asks for it: times with their zone. */
function wanted(params: URLSearchParams): Partial<Record<Filter, string>> {
  return Object.fromEntries(
    FILTERS.flatMap(name => {
      const said = params.get(name) ?? '';
      const value = name === 'from' || name === 'until' ? fromLocal(said) : said;
      return value ? [[name, value]] : [];
    }),
  );
}

/** Who did what, from where, the newest first; nothing in it can be changed. */
export default function AuditLog() {
  const { t, of, language } = useWords();
  const { me } = useSession();
  const explained = useExplained();
  const now_ms = useNow_ms();
  const [params, setParams] = useSearchParams();
  const query = wanted(params);
  const change = (name: Filter, value: string | null) => {
    const next = new URLSearchParams(params);
    if (value) next.set(name, value);
    else next.delete(name);
    setParams(next, { replace: true });
  };
  const asked = useInfiniteQuery({
    queryKey: ['audit-log', query],
    queryFn: ({ pageParam, signal }) => {
      const { outcome, ...rest } = query;
      const only = outcome === 'done' || outcome === 'refused' ? { outcome: outcome as 'done' | 'refused' } : {};
      const page = { limit: 100, ...(pageParam === null ? {} : { after: pageParam }) };
      return given(api.GET('/api/v1/audit-log', { params: { query: { ...rest, ...only, ...page } }, signal }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: page => page.next,
  });
  const entries = asked.data?.pages.flatMap(page => page.items) ?? [];
  return (
    <div className="audit">
      <search className="filters">
        <Select
          aria-label={t('audit.site')}
          allowClear
          placeholder={t('audit.site')}
          value={params.get('site')}
          options={me?.sites.map(each => ({ value: each.site, label: of(each.name) })) ?? []}
          onChange={value => change('site', value ?? null)}
        />
        <Select
          aria-label={t('audit.outcome')}
          allowClear
          placeholder={t('audit.outcome')}
          value={params.get('outcome')}
          options={(['done', 'refused'] as const).map(value => ({ value, label: t(`audit.${value}`) }))}
          onChange={value => change('outcome', value ?? null)}
        />
        <Input.Search
          aria-label={t('audit.operation')}
          allowClear
          placeholder={t('audit.operation')}
          defaultValue={params.get('operation') ?? ''}
          maxLength={100}
          onSearch={value => change('operation', value.trim())}
        />
        {(['from', 'until'] as const).map(name => (
          <label key={name} htmlFor={`audit-${name}`} className="audit-time">
            {t(`audit.${name}`)}
            <Input
              id={`audit-${name}`}
              type="datetime-local"
              value={params.get(name) ?? ''}
              onChange={event => change(name, event.target.value)}
            />
          </label>
        ))}
        <Button icon={<DownloadOutlined />} href={`/api/v1/audit-log.csv?${new URLSearchParams(query)}`} download>
          {t('audit.csv')}
        </Button>
      </search>
      {asked.isPending && <Waiting />}
      {asked.isError && (
        <p className="refused" role="alert">
          {explained(asked.error)}
        </p>
      )}
      {asked.isSuccess && entries.length === 0 && <Empty description={t('audit.none')} />}
      {entries.length > 0 && (
        <Scrolled>
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{t('audit.at')}</th>
                <th scope="col">{t('audit.who')}</th>
                <th scope="col">{t('audit.what')}</th>
                <th scope="col">{t('audit.asked')}</th>
                <th scope="col">{t('audit.site')}</th>
                <th scope="col">{t('audit.whence')}</th>
              </tr>
            </thead>
            <tbody>
              {entries.map(each => (
                <tr key={each.id} className={each.outcome === 'refused' ? 'audit-refused' : undefined}>
                  <td>
                    <time dateTime={each.at}>{moment(language, each.at, now_ms)}</time>
                  </td>
                  <th scope="row">
                    {each.actor}
                    {each.token !== null && <span className="faint"> · {each.token}</span>}
                  </th>
                  <td>
                    <code>{each.operation}</code> <span className="faint">{each.subject}</span>
                    {each.outcome === 'refused' && <strong className="audit-mark"> {t('audit.refused')}</strong>}
                  </td>
                  <td>{each.asked !== null && <code className="asked">{JSON.stringify(each.asked)}</code>}</td>
                  <td>{each.site}</td>
                  <td title={each.user_agent}>{each.ip}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scrolled>
      )}
      {asked.hasNextPage && (
        <Button block loading={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>
          {t('audit.older')}
        </Button>
      )}
    </div>
  );
}
