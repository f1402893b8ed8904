import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { Scrolled } from '../../app/Scrolled';
import { useServiceWords } from '../../words/vocabulary';
import { useTexts, useWords } from '../../words/words';
import type { Figures, Rounds } from './reports';
import { TEXTS } from './texts';

type Place = Figures['expiring'][number]['at'];
type Row = { readonly key: string | number; readonly cells: readonly ReactNode[] };

/** A moment by the site's clock, as the report means it, wherever it is read. */
function useAt(zone: string): (at: string) => string {
  const { language } = useWords();
  const format = new Intl.DateTimeFormat(language === 'zh' ? 'zh-CN' : 'en-GB', {
    timeZone: zone,
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
  });
  return at => format.format(new Date(at));
}

/** Everything that the report counts, line by line. */
export function Lists({ figures }: { figures: Figures }) {
  const say = useTexts(TEXTS);
  return (
    <>
      <Walks figures={figures} />
      <Hazards figures={figures} />
      <Table
        title={say('people')}
        columns={[say('person'), say('walked'), say('walked_late'), say('looked'), say('found'), say('put_right')]}
        rows={figures.people.map(each => ({
          key: each.person,
          cells: [each.person, each.rounds, each.late, each.visits, each.found, each.put_right],
        }))}
      />
      <Covered figures={figures} />
      <Ahead figures={figures} />
    </>
  );
}

function Walks({ figures }: { figures: Figures }) {
  const say = useTexts(TEXTS);
  const { of } = useWords();
  const { name } = useServiceWords();
  const at = useAt(figures.time_zone);
  const counted = ['due', 'done', 'late', 'incomplete', 'abandoned', 'missed'] as const satisfies (keyof Rounds)[];
  return (
    <>
      <Table
        title={say('plans')}
        columns={[say('route'), say('officer'), ...counted.map(key => say(key)), say('stops')]}
        rows={figures.plans.map(each => ({
          key: each.plan,
          cells: [
            of(each.name),
            each.officer,
            ...counted.map(key => each.rounds[key]),
            `${each.rounds.stops_visited} / ${each.rounds.stops_due}`,
          ],
        }))}
      />
      <Table
        title={say('lapses')}
        columns={[say('route'), say('window'), say('state'), say('guard'), say('visited')]}
        rows={figures.lapses.map(each => ({
          key: `${each.plan} ${each.window_from}`,
          cells: [
            of(each.name),
            at(each.window_from),
            each.state === 'finished' ? say('late') : name('window_state', each.state),
            each.guard ?? '—',
            `${each.visited} / ${each.stops}`,
          ],
        }))}
      />
    </>
  );
}

function Hazards({ figures }: { figures: Figures }) {
  const say = useTexts(TEXTS);
  const { of, language } = useWords();
  const at = useAt(figures.time_zone);
  return (
    <Table
      title={say('findings')}
      columns={[say('facility'), say('what'), say('found_by'), say('order'), say('right_by'), say('confirmed_by')]}
      rows={figures.finding_list.map((each, place) => ({
        key: place,
        cells: [
          <PlaceOf key="at" site={figures.site} place={each.at} />,
          each.failed.map(of).join(language === 'zh' ? '；' : '; '),
          `${each.person} ${at(each.scanned_at)}`,
          each.work_order === null ? (
            '—'
          ) : (
            <Link key="order" to={`/work-orders/${each.work_order}`}>
              #{each.work_order}
            </Link>
          ),
          each.put_right_at === null ? (
            <strong key="right" className="report-open">
              {say('not_right')}
            </strong>
          ) : (
            `${each.put_right_by} ${at(each.put_right_at)}`
          ),
          each.confirmed_by ?? '—',
        ],
      }))}
    />
  );
}

function Covered({ figures }: { figures: Figures }) {
  const say = useTexts(TEXTS);
  const { of } = useWords();
  const { name } = useServiceWords();
  return (
    <>
      <Table
        title={say('coverage')}
        columns={[say('kind'), say('facilities'), say('checks_due'), say('checks_done'), say('percent')]}
        rows={figures.coverage.kinds.map(each => ({
          key: each.kind,
          cells: [of(each.name), each.facilities, each.due, each.done, `${Math.floor((100 * each.done) / each.due)}%`],
        }))}
      />
      <Table
        title={say('unseen')}
        columns={[say('facility'), say('period'), say('checks_due'), say('checks_done')]}
        rows={figures.coverage.unseen.map(each => ({
          key: each.at.facility,
          cells: [
            <PlaceOf key="at" site={figures.site} place={each.at} />,
            name('check_period', each.period),
            each.due,
            each.done,
          ],
        }))}
      />
    </>
  );
}

function Ahead({ figures }: { figures: Figures }) {
  const say = useTexts(TEXTS);
  const { of } = useWords();
  const { name } = useServiceWords();
  const at = useAt(figures.time_zone);
  return (
    <>
      <Table
        title={say('expiring')}
        columns={[say('facility'), say('piece'), say('ends'), say('state')]}
        rows={figures.expiring.map((each, place) => ({
          key: place,
          cells: [
            <PlaceOf key="at" site={figures.site} place={each.at} />,
            each.piece,
            `${each.ends_on} ${name('expiry_interval', each.interval)}`,
            name('expiry', each.expiry),
          ],
        }))}
      />
      <Table
        title={say('unsigned')}
        columns={[say('route'), say('window'), say('guard'), say('lacking')]}
        rows={figures.unsigned.map(each => ({
          key: each.round,
          cells: [
            of(each.name),
            at(each.window_from),
            each.guard,
            each.lacking.map(part => name('signature_part', part)).join(' · '),
          ],
        }))}
      />
    </>
  );
}

function PlaceOf({ site, place }: { site: string; place: Place }) {
  const { of } = useWords();
  return (
    <>
      <Link to={`/facilities/${site}/${place.facility}`}>{of(place.name)}</Link>{' '}
      <span className="faint">{of(place.place)}</span>
    </>
  );
}

function Table(props: { title: string; columns: readonly string[]; rows: readonly Row[] }) {
  const say = useTexts(TEXTS);
  return (
    <section className="panel report-list" aria-label={props.title}>
      <h3>
        {props.title} <span className="count">{props.rows.length}</span>
      </h3>
      {props.rows.length === 0 ? (
        <p className="faint">{say('nothing')}</p>
      ) : (
        <Scrolled>
          <table className="table" aria-label={props.title}>
            <thead>
              <tr>
                {props.columns.map(each => (
                  <th key={each} scope="col">
                    {each}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {props.rows.map(row => (
                <tr key={row.key}>
                  {row.cells.map((cell, place) =>
                    place === 0 ? (
                      <th key={props.columns[place]} scope="row">
                        {cell}
                      </th>
                    ) : (
                      <td key={props.columns[place]}>{cell}</td>
                    ),
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </Scrolled>
      )}
    </section>
  );
}
