import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { api, given } from '../../api/client';
import type { AlarmDetail } from '../../api/schema';
import { useNow_ms } from '../../time/now';
import { moment } from '../../time/spoken';
import { useServiceWords } from '../../words/vocabulary';
import { useTexts, useWords } from '../../words/words';
import { askedFor, type AskedFor as Said } from './asked-for';
import { TEXTS } from './texts';

/** What a calendar asks for with its alarm, in words and as it was then: which pieces or papers end, which rounds are missing. */
export function AskedFor({ detail }: { detail: AlarmDetail }) {
  const said = askedFor(detail.journal);
  if (said === null) return null;
  const { site, key } = detail.alarm.facility;
  if (said.plans.length > 0) return <Plans said={said} site={site} />;
  return <Ends said={said} where={`${site}/${key}`} />;
}

function AsOf({ said }: { said: Said }) {
  const say = useTexts(TEXTS);
  const { language } = useWords();
  return <p className="row-faint">{say('as_of', { at: moment(language, said.at, useNow_ms()) })}</p>;
}

function Ends({ said, where }: { said: Said; where: string }) {
  const say = useTexts(TEXTS);
  const { name } = useServiceWords();
  const papers = said.papers.length > 0;
  return (
    <section>
      <h2>{say(papers ? 'papers' : 'pieces')}</h2>
      <AsOf said={said} />
      <ul>
        {said.pieces.map(each => (
          <li key={`${each.part} ${each.maker} ${each.model} ${each.ends_on}`}>
            <strong>
              {each.maker} {each.model}
            </strong>
            {each.part !== null && ` · ${each.part}`} ·{' '}
            {say(each.interval === 'service' ? 'service_due' : 'ends', { on: each.ends_on })}
          </li>
        ))}
        {said.papers.map(each => (
          <li key={`${each.kind} ${each.number} ${each.ends_on}`}>
            <strong>{name('certificate_kind', each.kind)}</strong> · {each.number} · {say('ends', { on: each.ends_on })}
          </li>
        ))}
      </ul>
      {said.more > 0 && <p>{say('more', { n: said.more })}</p>}
      {said.more_facilities > 0 && <p>{say('more_facilities', { n: said.more_facilities })}</p>}
      <p>
        <Link to={`/facilities/${where}?tab=${papers ? 'certificates' : 'assets'}`}>
          {say(papers ? 'certificates' : 'assets')}
        </Link>
      </p>
    </section>
  );
}

function Plans({ said, site }: { said: Said; site: string }) {
  const say = useTexts(TEXTS);
  const { of, language } = useWords();
  const { name } = useServiceWords();
  const now_ms = useNow_ms();
  const plans = useQuery({
    queryKey: ['plans', site],
    queryFn: async ({ signal }) =>
      (await given(api.GET('/api/v1/inspection-plans', { params: { query: { site } }, signal }))).items,
  });
  const names = new Map(plans.data?.map(each => [each.key, of(each.name)]));
  return (
    <section>
      <h2>{say('plans')}</h2>
      <AsOf said={said} />
      <ul>
        {said.plans.map(each => (
          <li key={`${each.plan} ${each.from}`}>
            <strong>{names.get(each.plan) ?? each.plan}</strong> · {name('window_state', each.state)}
            <div className="row-faint">
              {say('window', {
                from: moment(language, each.from, now_ms),
                until: moment(language, each.until, now_ms),
              })}{' '}
              · {say('visited', { visited: each.visited, stops: each.stops })}
            </div>
          </li>
        ))}
      </ul>
      <p>
        <Link to={`/inspection?site=${site}`}>{say('rounds')}</Link>
      </p>
    </section>
  );
}
