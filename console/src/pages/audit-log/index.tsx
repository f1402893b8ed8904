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
import { useServiceWords } from '../../words/vocabulary';
import { useTexts, useWords } from '../../words/words';
import { TEXTS } from './texts';
import { lines } from './told';
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
  const { of, language } = useWords();
  const say = useTexts(TEXTS);
  const { name, vocabulary } = useServiceWords();
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
  const names = new Map(me?.sites.map(each => [each.site, of(each.name)]));
  const entries = asked.data?.pages.flatMap(page => page.items) ?? [];
  return (
    <div className="audit">
      <search className="filters">
        <Select
          aria-label={say('site')}
          allowClear
          placeholder={say('site')}
          value={params.get('site')}
          options={me?.sites.map(each => ({ value: each.site, label: of(each.name) })) ?? []}
          onChange={value => change('site', value ?? null)}
        />
        <Select
          aria-label={say('outcome')}
          allowClear
          placeholder={say('outcome')}
          value={params.get('outcome')}
          options={(['done', 'refused'] as const).map(value => ({ value, label: say(value) }))}
          onChange={value => change('outcome', value ?? null)}
        />
        <Select
          aria-label={say('operation')}
          allowClear
          className="audit-operation"
          showSearch={{ optionFilterProp: 'label' }}
          placeholder={say('operation')}
          value={params.get('operation')}
          options={Object.entries(vocabulary?.words.operation ?? {}).map(([value, word]) => ({
            value,
            label: of(word),
          }))}
          onChange={value => change('operation', value ?? null)}
        />
        {(['from', 'until'] as const).map(name => (
          <label key={name} htmlFor={`audit-${name}`} className="audit-time">
            {say(name)}
            <Input
              id={`audit-${name}`}
              type="datetime-local"
              value={params.get(name) ?? ''}
              onChange={event => change(name, event.target.value)}
            />
          </label>
        ))}
        <Button icon={<DownloadOutlined />} href={`/api/v1/audit-log.csv?${new URLSearchParams(query)}`} download>
          {say('csv')}
        </Button>
      </search>
      {asked.isPending && <Waiting />}
      {asked.isError && (
        <p className="refused" role="alert">
          {explained(asked.error)}
        </p>
      )}
      {asked.isSuccess && entries.length === 0 && <Empty description={say('none')} />}
      {entries.length > 0 && (
        <Scrolled>
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{say('at')}</th>
                <th scope="col">{say('who')}</th>
                <th scope="col">{say('what')}</th>
                <th scope="col">{say('asked')}</th>
                <th scope="col">{say('site')}</th>
                <th scope="col">{say('whence')}</th>
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
                    {name('operation', each.operation)} <span className="faint">{each.subject}</span>
                    {each.outcome === 'refused' && <strong className="audit-mark"> {say('refused')}</strong>}
                  </td>
                  <td>{each.asked !== null && <AskedFor operation={each.operation} asked={each.asked} />}</td>
                  <td>{each.site !== null && (names.get(each.site) ?? each.site)}</td>
                  <td title={each.user_agent}>{each.ip}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scrolled>
      )}
      {asked.hasNextPage && (
        <Button block loading={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>
          {say('older')}
        </Button>
      )}
    </div>
  );
}

/** In words; as it was sent, for whoever looks closer. */
function AskedFor({ operation, asked }: { operation: string; asked: Readonly<Record<string, unknown>> }) {
  const { language } = useWords();
  const say = useTexts(TEXTS);
  const { name } = useServiceWords();
  const now_ms = useNow_ms();
  const told = lines(asked, {
    name,
    moment: at => moment(language, at, now_ms),
    yes: say('yes'),
    no: say('no'),
    nothing: say('nothing'),
    comma: say('comma'),
    language,
  });
  return (
    <>
      <dl className="asked">
        {told.map(each => (
          <div key={each.key}>
            <dt>{each.name}</dt>
            <dd>
              {each.before !== undefined && (
                <>
                  <del>{each.before}</del> {each.value !== undefined && <span aria-hidden>→</span>}{' '}
                </>
              )}
              {each.value}
            </dd>
          </div>
        ))}
      </dl>
      <details className="asked-raw">
        <summary>{say('raw')}</summary>
        <pre>
          {operation} {JSON.stringify(asked, null, 1)}
        </pre>
      </details>
    </>
  );
}
