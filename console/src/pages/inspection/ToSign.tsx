import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Button } from 'antd';
import { useCallback, useState } from 'react';
import { api, given } from '../../api/client';
import { useExplained } from '../../api/problem';
import { Scrolled } from '../../app/Scrolled';
import { Refused } from '../../deeds/Refused';
import { useDeed } from '../../deeds/useDeed';
import { useSession } from '../../session/session';
import { useNow_ms } from '../../time/now';
import { moment } from '../../time/spoken';
import { useServiceWords } from '../../words/vocabulary';
import { useTexts, useWords } from '../../words/words';
import { type RoundLine, UNSIGNED, unsigned } from './reports';
import { TEXTS } from './texts';

const SHOWN_MAX = 20;

type Signing = { readonly round: number; readonly how: 'sign' | 'countersign' };

function send({ round, how }: Signing, key: string) {
  const path = `/api/v1/inspection-rounds/{round}/${how}` as '/api/v1/inspection-rounds/{round}/sign';
  const params = { path: { round }, header: { 'idempotency-key': key } };
  return given(api.POST(path, { params, body: { note: null } }));
}

/** Rounds that lack a signature, each with the button of whoever may give it. */
export function ToSign({ site }: { site: string | null }) {
  const say = useTexts(TEXTS);
  const { of, language } = useWords();
  const { name } = useServiceWords();
  const explained = useExplained();
  const queries = useQueryClient();
  const now_ms = useNow_ms();
  const how = useHow();
  const [pressed, setPressed] = useState<number | null>(null);
  const asked = useQuery({
    queryKey: [...UNSIGNED, site],
    queryFn: ({ signal }) => unsigned(site, Date.now(), signal),
  });
  const done = useCallback(() => void queries.invalidateQueries({ queryKey: UNSIGNED }), [queries]);
  const { act, busy, refusal } = useDeed(send, done);
  return (
    <section className="panel" aria-label={say('to_sign')}>
      <h2 className="inspection-title">
        {say('to_sign')} {asked.data !== undefined && <span className="count">{asked.data.length}</span>}
      </h2>
      <p className="faint">{say(asked.data?.length === 0 ? 'nothing_to_sign' : 'to_sign_hint')}</p>
      {asked.isError && (
        <p className="refused" role="alert">
          {explained(asked.error)}
        </p>
      )}
      <Refused refusal={refusal} />
      {asked.data !== undefined && asked.data.length > 0 && (
        <Scrolled>
          <table className="table" aria-label={say('to_sign')}>
            <thead>
              <tr>
                <th scope="col">{say('route')}</th>
                <th scope="col">{say('window')}</th>
                <th scope="col">{say('guard')}</th>
                <th scope="col">{say('visited')}</th>
                <th scope="col">{say('lacking')}</th>
                <th scope="col">{say('sign')}</th>
              </tr>
            </thead>
            <tbody>
              {asked.data.slice(0, SHOWN_MAX).map(each => {
                const mine = how(each);
                return (
                  <tr key={each.round}>
                    <th scope="row">{of(each.name)}</th>
                    <td>{moment(language, each.window_from, now_ms)}</td>
                    <td>{each.guard}</td>
                    <td>
                      {each.visited} / {each.stops}
                    </td>
                    <td>{each.unsigned.map(part => name('signature_part', part)).join(' · ')}</td>
                    <td>
                      {mine !== null && each.round !== null && (
                        <Button
                          type="primary"
                          loading={busy && pressed === each.round}
                          disabled={busy}
                          onClick={() => {
                            setPressed(each.round);
                            void act({ round: each.round ?? 0, how: mine });
                          }}
                        >
                          {say(mine)}
                        </Button>
                      )}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </Scrolled>
      )}
    </section>
  );
}

/** In which way this person may sign it now, if at all. */
function useHow(): (line: RoundLine) => Signing['how'] | null {
  const { me, can } = useSession();
  return line => {
    const isMine = line.guard === me?.person.name;
    if (line.unsigned.includes('patroller')) return isMine && can('inspect', line.site) ? 'sign' : null;
    return !isMine && can('countersign', line.site) ? 'countersign' : null;
  };
}
