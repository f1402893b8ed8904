import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { api, given } from '../../api/client';
import { useExplained } from '../../api/problem';
import type { GradeOut, RoleOut } from '../../api/schema';
import { Scrolled } from '../../app/Scrolled';
import { Waiting } from '../../app/Waiting';
import { GradeMark } from '../../drawn/GradeMark';
import { useSession } from '../../session/session';
import { duration } from '../../time/spoken';
import { useServiceWords } from '../../words/vocabulary';
import { useTexts, useWords } from '../../words/words';
import { TEXTS } from './texts';
import '../../app/panels.css';
import './shelving-rights.css';

const GRAVEST_FIRST = ['life_safety', 'critical', 'warning'] as const;

/** Who may hide an alarm, for how long, and whether he has to say why: as the service will judge it. */
export default function ShelvingRights() {
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const explained = useExplained();
  const { me, can } = useSession();
  const asked = useQuery({
    queryKey: ['shelving-rights'],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      const [grades, roles] = await Promise.all([
        given(api.GET('/api/v1/grades', { signal })),
        given(api.GET('/api/v1/roles', { signal })),
      ]);
      return { grades: grades.items, roles: roles.roles };
    },
  });
  if (asked.isPending) return <Waiting />;
  if (asked.data === undefined)
    return (
      <p className="refused" role="alert">
        {explained(asked.error)}
      </p>
    );
  const mine = (me?.sites ?? []).filter(each => can('shelve', each.site)).map(each => of(each.name));
  return (
    <div className="shelving-rights">
      <section className="panel" aria-label={say('longest')}>
        <h3>{say('longest')}</h3>
        <p className="faint">{say('longest_hint')}</p>
        <Longest grades={asked.data.grades} />
      </section>
      <section className="panel" aria-label={say('who')}>
        <h3>{say('who')}</h3>
        <p>{mine.length > 0 ? say('mine', { sites: mine.join(' · ') }) : say('mine_nowhere')}</p>
        <Who roles={asked.data.roles} />
        <p className="faint">{say('fixed')}</p>
        <Link to="/shelf">{say('now')}</Link>
      </section>
    </div>
  );
}

function Longest({ grades }: { grades: readonly GradeOut[] }) {
  const { language } = useWords();
  const say = useTexts(TEXTS);
  const { name } = useServiceWords();
  return (
    <Scrolled>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{say('severity')}</th>
            {grades.map(({ grade }) => (
              <th key={grade} scope="col">
                <GradeMark grade={grade} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {GRAVEST_FIRST.map(severity => (
            <tr key={severity}>
              <th scope="row">{name('severity', severity)}</th>
              {grades.map(({ grade, responses }) => {
                const found = responses.find(each => each.severity === severity);
                const most = found?.shelve_seconds_max ?? null;
                return (
                  <td key={grade}>
                    {most === null || found === undefined ? (
                      say('never')
                    ) : (
                      <>
                        <strong>{duration(language, most * 1_000)}</strong>{' '}
                        <span className="faint">
                          {say(found.shelve_note_required ? 'note_required' : 'note_optional')}
                        </span>
                      </>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolled>
  );
}

function Who({ roles }: { roles: readonly RoleOut[] }) {
  const { of } = useWords();
  const say = useTexts(TEXTS);
  return (
    <Scrolled>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{say('role')}</th>
            <th scope="col">{say('shelve')}</th>
            <th scope="col">{say('out_of_service')}</th>
          </tr>
        </thead>
        <tbody>
          {roles.map(role => (
            <tr key={role.key}>
              <th scope="row">{of(role.title)}</th>
              {(['shelve', 'out_of_service'] as const).map(right => (
                <td key={right} className={role.rights.includes(right) ? undefined : 'faint'}>
                  {say(role.rights.includes(right) ? 'yes' : 'no')}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolled>
  );
}
