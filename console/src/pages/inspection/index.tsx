import { DownloadOutlined } from '@ant-design/icons';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { Button, Drawer, Empty } from 'antd';
import { useCallback, useState } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { api, given } from '../../api/client';
import { useExplained } from '../../api/problem';
import { Scrolled } from '../../app/Scrolled';
import { Waiting } from '../../app/Waiting';
import { SiteFilter } from '../../session/SiteFilter';
import { useSession } from '../../session/session';
import { useNow_ms } from '../../time/now';
import { moment } from '../../time/spoken';
import { useServiceWords } from '../../words/vocabulary';
import { useTexts, useWords } from '../../words/words';
import { IssueForm } from './IssueForm';
import { fileOf, REPORTS, type ReportOut } from './reports';
import { ToSign } from './ToSign';
import { TEXTS } from './texts';
import '../../app/panels.css';
import './inspection.css';

/** The month's reports as they were issued, and the rounds that somebody has to sign. */
export default function Inspection() {
  const say = useTexts(TEXTS);
  const { of, language } = useWords();
  const { name } = useServiceWords();
  const { can } = useSession();
  const explained = useExplained();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const now_ms = useNow_ms();
  const [params, setParams] = useSearchParams();
  const [issuing, setIssuing] = useState(false);
  const site = params.get('site');
  const asked = useInfiniteQuery({
    queryKey: [...REPORTS, site],
    queryFn: ({ pageParam, signal }) => {
      const query = {
        limit: 50,
        ...(site === null ? {} : { site }),
        ...(pageParam === null ? {} : { after: pageParam }),
      };
      return given(api.GET('/api/v1/inspection-reports', { params: { query }, signal }));
    },
    initialPageParam: null as string | null,
    getNextPageParam: page => page.next,
  });
  const issued = useCallback(
    (answer: ReportOut) => {
      setIssuing(false);
      void queries.invalidateQueries({ queryKey: REPORTS });
      void navigate(`/inspection/${answer.report.id}`);
    },
    [queries, navigate],
  );
  const found = asked.data?.pages.flatMap(page => page.items) ?? [];
  return (
    <div className="inspection">
      <search className="filters">
        <SiteFilter
          label={say('site')}
          value={site}
          onChange={chosen => setParams(chosen === null ? {} : { site: chosen }, { replace: true })}
        />
        {can('report') && (
          <Button type="primary" onClick={() => setIssuing(true)}>
            {say('issue')}
          </Button>
        )}
      </search>
      <ToSign site={site} />
      <section className="panel" aria-label={say('reports')}>
        <h2 className="inspection-title">{say('reports')}</h2>
        <p className="faint">{say('reports_hint')}</p>
        {asked.isPending && <Waiting />}
        {asked.isError && (
          <p className="refused" role="alert">
            {explained(asked.error)}
          </p>
        )}
        {asked.isSuccess && found.length === 0 && <Empty description={say('none')} />}
        {found.length > 0 && (
          <Scrolled>
            <table className="table" aria-label={say('reports')}>
              <thead>
                <tr>
                  <th scope="col">{say('month')}</th>
                  <th scope="col">{say('site')}</th>
                  <th scope="col">{say('scope')}</th>
                  <th scope="col">{say('version')}</th>
                  <th scope="col">{say('issued')}</th>
                  <th scope="col">{say('files')}</th>
                </tr>
              </thead>
              <tbody>
                {found.map(each => (
                  <tr key={each.id} className={each.superseded ? 'faint' : undefined}>
                    <th scope="row">
                      <Link to={`/inspection/${each.id}`}>{each.month}</Link>
                    </th>
                    <td>{of(each.site_name)}</td>
                    <td>{each.grid ?? say('whole')}</td>
                    <td>
                      {say('version_n', { n: each.version })}
                      {each.superseded && ` · ${say('superseded')}`}
                    </td>
                    <td>
                      {moment(language, each.issued_at, now_ms)} · {name('actor', each.issued_by)}
                    </td>
                    <td className="inspection-files">
                      <a href={fileOf(each.id, 'document.pdf', language)} download>
                        <DownloadOutlined aria-hidden="true" /> {say('pdf')}
                      </a>
                      <a href={fileOf(each.id, 'figures.xlsx', language)} download>
                        <DownloadOutlined aria-hidden="true" /> {say('xlsx')}
                      </a>
                    </td>
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
      </section>
      <Drawer open={issuing} onClose={() => setIssuing(false)} size="large" destroyOnHidden title={say('issue')}>
        <IssueForm onIssued={issued} />
      </Drawer>
    </div>
  );
}
