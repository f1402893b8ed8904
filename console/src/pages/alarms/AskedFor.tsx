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

/** What a calendar asks for with its alarm, in words: which pieces end and when, which rounds are missing. */
export function AskedFor({ detail }: { detail: AlarmDetail }) {
  const said = askedFor(detail.journal);
  if (said === null) return null;
  const { site, key } = detail.alarm.facility;
  return said.pieces.length > 0 ? <Pieces said={said} at={`${site}/${key}`} /> : <Plans said={said} site={site} />;
}

function Pieces({ said, at }: { said: Said; at: string }) {
  const say = useTexts(TEXTS);
  return (
    <section>
      <h2>{say('pieces')}</h2>
      <ul>
        {said.pieces.map(each => (
          <li key={`${each.part} ${each.maker} ${each.model} ${each.ends_on}`}>
            <strong>
              {each.maker} {each.model}
            </strong>
            {each.part !== null && ` · ${each.part}`} · {say('ends', { on: each.ends_on })}
          </li>
        ))}
      </ul>
      {said.more_pieces > 0 && <p>{say('more_pieces', { n: said.more_pieces })}</p>}
      {said.more_facilities > 0 && <p>{say('more_facilities', { n: said.more_facilities })}</p>}
      <p>
        <Link to={`/facilities/${at}?tab=assets`}>{say('assets')}</Link>
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
