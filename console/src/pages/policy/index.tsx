import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Button, Select } from 'antd';
import { useCallback, useState } from 'react';
import { useSearchParams } from 'react-router';
import { api, given } from '../../api/client';
import { useExplained } from '../../api/problem';
import type { DecisionOut, KindGradeOut, SiteContractOut } from '../../api/schema';
import { Scrolled } from '../../app/Scrolled';
import { Waiting } from '../../app/Waiting';
import { useSession } from '../../session/session';
import { useNow_ms } from '../../time/now';
import { moment } from '../../time/spoken';
import { useServiceWords } from '../../words/vocabulary';
import { useTexts, useWords } from '../../words/words';
import { type Change, ChangeForm } from './ChangeForm';
import { TEXTS } from './texts';
import '../../app/panels.css';
import './policy.css';

const CLOCKS = ['accept_by', 'arrive_by', 'plan_by', 'restore_by'] as const;

/** What is in force at one site - contract, clocks, grades - and who decided it, why. */
export default function Policy() {
  const { t, of } = useWords();
  const say = useTexts(TEXTS);
  const { me } = useSession();
  const [params, setParams] = useSearchParams();
  const sites = me?.sites ?? [];
  const site = sites.find(each => each.site === params.get('site')) ?? sites[0];
  if (site === undefined) return <p className="refused">{t('session.no_page')}</p>;
  return (
    <div className="policy">
      <search className="filters">
        <Select
          aria-label={say('site')}
          value={site.site}
          options={sites.map(each => ({ value: each.site, label: of(each.name) }))}
          onChange={chosen => setParams({ site: chosen }, { replace: true })}
        />
      </search>
      <Site key={site.site} site={site.site} />
    </div>
  );
}

function Site({ site }: { site: string }) {
  const { can } = useSession();
  const explained = useExplained();
  const queries = useQueryClient();
  const [change, setChange] = useState<Change | null>(null);
  const path = { site };
  const asked = useQuery({
    queryKey: ['policy', site],
    queryFn: async ({ signal }) => {
      const [contract, grades, decisions] = await Promise.all([
        given(api.GET('/api/v1/sites/{site}/contract', { params: { path }, signal })),
        given(api.GET('/api/v1/sites/{site}/grades', { params: { path }, signal })),
        given(api.GET('/api/v1/sites/{site}/decisions', { params: { path, query: { limit: 50 } }, signal })),
      ]);
      return { contract, grades: grades.items, decisions: decisions.items };
    },
  });
  const changed = useCallback(() => {
    setChange(null);
    void queries.invalidateQueries({ queryKey: ['policy', site] });
  }, [queries, site]);
  if (asked.isPending) return <Waiting />;
  if (asked.data === undefined)
    return (
      <p className="refused" role="alert">
        {explained(asked.error)}
      </p>
    );
  const onChange = can('policy', site) ? setChange : null;
  return (
    <>
      <Contract contract={asked.data.contract} onChange={onChange} />
      <Grades grades={asked.data.grades} onChange={onChange} />
      <Decisions decisions={asked.data.decisions} />
      <ChangeForm site={site} change={change} onLeave={() => setChange(null)} onDone={changed} />
    </>
  );
}

type OnChange = ((change: Change) => void) | null;

function Contract({ contract, onChange }: { contract: SiteContractOut; onChange: OnChange }) {
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const { name } = useServiceWords();
  const classes = [...new Set(contract.clocks.map(each => each.event_class))];
  return (
    <section className="panel" aria-label={say('contract')}>
      <h3>{say('contract')}</h3>
      <p>
        <strong>{of(contract.title)}</strong> <Decided decided={contract.decided} />
        {onChange && (
          <Button size="small" onClick={() => onChange({ what: 'contract', value: contract.profile })}>
            {say('change')}
          </Button>
        )}
      </p>
      <Scrolled>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{say('event_class')}</th>
              {CLOCKS.map(clock => (
                <th key={clock} scope="col">
                  {name('work_order_clock', clock)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {classes.map(each => (
              <tr key={each}>
                <th scope="row">{name('event_class', each)}</th>
                {CLOCKS.map(clock => (
                  <td key={clock}>
                    <Clock contract={contract} event_class={each} clock={clock} onChange={onChange} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolled>
      <p className="faint">{say('clock_hint')}</p>
    </section>
  );
}

function Clock(props: {
  contract: SiteContractOut;
  event_class: string;
  clock: (typeof CLOCKS)[number];
  onChange: OnChange;
}) {
  const say = useTexts(TEXTS);
  const { contract, event_class, clock, onChange } = props;
  const found = contract.clocks.find(each => each.event_class === event_class && each.clock === clock);
  const value = found?.value ?? '—';
  const isOwn = found?.decided != null;
  return (
    <>
      {onChange ? (
        <Button
          type="link"
          size="small"
          className="clock-value"
          onClick={() =>
            onChange({
              what: 'clock',
              event_class,
              clock,
              value: found?.value ?? '',
              inherited: found?.contract ?? null,
            })
          }
        >
          {value}
        </Button>
      ) : (
        value
      )}
      {isOwn && (
        <span className="own" title={found.decided?.reason}>
          {say('own', { contract: found.contract ?? '—' })}
        </span>
      )}
    </>
  );
}

function Grades({ grades, onChange }: { grades: readonly KindGradeOut[]; onChange: OnChange }) {
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const { name } = useServiceWords();
  return (
    <section className="panel" aria-label={say('grades')}>
      <h3>{say('grades')}</h3>
      <Scrolled>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{say('kind')}</th>
              <th scope="col">{say('facilities')}</th>
              <th scope="col">{say('grade')}</th>
              <th scope="col">{say('because')}</th>
            </tr>
          </thead>
          <tbody>
            {grades.map(each => (
              <tr key={each.kind}>
                <th scope="row">{of(each.title)}</th>
                <td>{each.facilities}</td>
                <td>
                  <strong>{name('grade', each.grade)}</strong>{' '}
                  {onChange && (
                    <Button
                      size="small"
                      onClick={() =>
                        onChange({
                          what: 'grade',
                          kind: each.kind,
                          title: of(each.title),
                          value: each.grade,
                          inherited: each.default,
                        })
                      }
                    >
                      {say('change')}
                    </Button>
                  )}
                </td>
                <td>{each.decided ? <Decided decided={each.decided} /> : of(each.default_reason)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolled>
    </section>
  );
}

function Decided({ decided }: { decided: DecisionOut | null }) {
  const { language } = useWords();
  const now_ms = useNow_ms();
  if (decided === null) return null;
  return (
    <span className="faint">
      {decided.author} · {moment(language, decided.set_at, now_ms)} · {decided.reason}
    </span>
  );
}

function Decisions({ decisions }: { decisions: readonly DecisionOut[] }) {
  const { language } = useWords();
  const say = useTexts(TEXTS);
  const now_ms = useNow_ms();
  return (
    <section className="panel" aria-label={say('decisions')}>
      <h3>{say('decisions')}</h3>
      {decisions.length === 0 && <p className="faint">{say('no_decisions')}</p>}
      <ul className="lines">
        {decisions.map(each => (
          <li key={`${each.set_at}${each.name}${each.facility}`}>
            <time dateTime={each.set_at} className="faint">
              {moment(language, each.set_at, now_ms)}
            </time>
            <strong>{each.author}</strong>
            <code>
              {each.facility ? `${each.facility} · ` : ''}
              {each.name} = {each.value ?? say('as_before')}
            </code>
            <span>{each.reason}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
