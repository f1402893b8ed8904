import { ArrowLeftOutlined, DownloadOutlined, PrinterOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { Link, useParams } from 'react-router';
import { api, given } from '../../api/client';
import { Failed, useExplained } from '../../api/problem';
import { Waiting } from '../../app/Waiting';
import { useNow_ms } from '../../time/now';
import { moment } from '../../time/spoken';
import { useServiceWords, useVocabulary } from '../../words/vocabulary';
import { useTexts, useWords } from '../../words/words';
import { Lists } from './Lists';
import { type Figures, fileOf, type ReportOut, reportKey } from './reports';
import { TEXTS } from './texts';
import '../../app/panels.css';
import './inspection.css';

/** One report as it was issued: nothing on this page is reckoned anew. */
export default function Report() {
  const id = Number(useParams().report);
  const say = useTexts(TEXTS);
  const explained = useExplained();
  const vocabulary = useVocabulary();
  const isNumber = Number.isSafeInteger(id) && id >= 1;
  const asked = useQuery({
    queryKey: reportKey(id),
    queryFn: ({ signal }) =>
      given(api.GET('/api/v1/inspection-reports/{report}', { params: { path: { report: id } }, signal })),
    enabled: isNumber,
  });
  if (!isNumber || (asked.error instanceof Failed && asked.error.status === 404))
    return (
      <p className="refused" role="alert">
        {say('no_such')} <Link to="/inspection">{say('to_list')}</Link>
      </p>
    );
  if (asked.isError)
    return (
      <p className="refused" role="alert">
        {explained(asked.error)}
      </p>
    );
  if (asked.data === undefined || vocabulary === undefined) return <Waiting />;
  return (
    <article className="report">
      <Head told={asked.data} />
      <Tiles figures={asked.data.figures} />
      <Lists figures={asked.data.figures} />
      <p className="faint report-foot">
        #{asked.data.report.id} · {say('version_n', { n: asked.data.report.version })} · {say('sha')}{' '}
        <code>{asked.data.report.sha256}</code>
      </p>
    </article>
  );
}

function Head({ told }: { told: ReportOut }) {
  const say = useTexts(TEXTS);
  const { of, language } = useWords();
  const { name } = useServiceWords();
  const now_ms = useNow_ms();
  const { report, figures } = told;
  return (
    <header className="panel report-head">
      <Link to="/inspection" className="back">
        <ArrowLeftOutlined /> {say('to_list')}
      </Link>
      <h2 className="report-title">
        {of(figures.site_name)} · {report.month} · {report.grid ?? say('whole')}
      </h2>
      <p className="faint">
        {say('version_n', { n: report.version })} · {say('issued')} {moment(language, report.issued_at, now_ms)} ·{' '}
        {name('actor', report.issued_by)}
      </p>
      {report.reason !== null && (
        <p>
          {say('reissued')}: {report.reason}
        </p>
      )}
      {report.superseded && <p className="notice">{say('old_version')}</p>}
      {figures.cut.length > 0 && <p className="notice">{say('cut')}</p>}
      <div className="report-files">
        <Button icon={<DownloadOutlined />} href={fileOf(report.id, 'document.pdf', language)} download>
          {say('pdf')}
        </Button>
        <Button icon={<DownloadOutlined />} href={fileOf(report.id, 'figures.xlsx', language)} download>
          {say('xlsx')}
        </Button>
        <Button icon={<PrinterOutlined />} onClick={() => window.print()}>
          {say('print')}
        </Button>
      </div>
    </header>
  );
}

function Tiles({ figures }: { figures: Figures }) {
  const say = useTexts(TEXTS);
  const { rounds, checks, findings, coverage } = figures;
  const bad = (['late', 'incomplete', 'abandoned', 'missed', 'walking'] as const).filter(key => rounds[key] > 0);
  const tiles = [
    {
      name: say('done_in_time'),
      value: rounds.done,
      more: [say('of_rounds', { n: rounds.due }), ...bad.map(key => `${say(key)} ${rounds[key]}`)].join(' · '),
      wrong: bad.length > 0,
    },
    { name: say('stops'), value: rounds.stops_visited, more: say('of_stops', { n: rounds.stops_due }), wrong: false },
    {
      name: say('hazards'),
      value: findings.found,
      more: say('hazards_right', { right: findings.put_right, sure: findings.confirmed }),
      wrong: findings.open > 0 || findings.confirmed < findings.put_right,
    },
    {
      name: say('covered'),
      value: coverage.done,
      more: say('of_checks', { n: coverage.due }),
      wrong: coverage.done < coverage.due,
    },
    {
      name: say('visits'),
      value: checks.visits,
      more: say('visits_more', { review: checks.to_review, struck: checks.struck }),
      wrong: checks.to_review > 0,
    },
    { name: say('no_tag'), value: coverage.without_tag, more: say('no_tag_hint'), wrong: coverage.without_tag > 0 },
  ];
  return (
    <ul className="report-tiles" aria-label={say('summary')}>
      {tiles.map(each => (
        <li key={each.name} className={each.wrong ? 'panel report-tile report-wrong' : 'panel report-tile'}>
          <span>{each.name}</span>
          <strong>{each.value}</strong>
          <span className="faint">{each.more}</span>
        </li>
      ))}
    </ul>
  );
}
