import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { Button, Drawer, Empty, Modal } from 'antd';
import { useCallback, useState } from 'react';
import { api, given } from '../../api/client';
import { useExplained } from '../../api/problem';
import type { TokenOut } from '../../api/schema';
import { Waiting } from '../../app/Waiting';
import { Refused } from '../../deeds/Refused';
import { useDeed } from '../../deeds/useDeed';
import { useSession } from '../../session/session';
import { useNow_ms } from '../../time/now';
import { moment } from '../../time/spoken';
import { useServiceWords } from '../../words/vocabulary';
import { useTexts, useWords } from '../../words/words';
import { TokenForm } from './TokenForm';
import { TEXTS } from './texts';
import '../../app/panels.css';
import './tokens.css';

const TOKENS = ['tokens'] as const;

export default function Tokens() {
  const say = useTexts(TEXTS);
  const explained = useExplained();
  const queries = useQueryClient();
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const asked = useInfiniteQuery({
    queryKey: TOKENS,
    queryFn: ({ pageParam, signal }) =>
      given(
        api.GET('/api/v1/tokens', {
          params: { query: { limit: 100, ...(pageParam === null ? {} : { after: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: page => page.next,
  });
  const changed = useCallback(() => void queries.invalidateQueries({ queryKey: TOKENS }), [queries]);
  const made = useCallback(
    (told: string) => {
      setMaking(false);
      setSecret(told);
      changed();
    },
    [changed],
  );
  const tokens = asked.data?.pages.flatMap(page => page.items) ?? [];
  return (
    <div className="tokens">
      <Button type="primary" className="tokens-new" onClick={() => setMaking(true)}>
        {say('new')}
      </Button>
      {asked.isPending && <Waiting />}
      {asked.isError && (
        <p className="refused" role="alert">
          {explained(asked.error)}
        </p>
      )}
      {asked.isSuccess && tokens.length === 0 && <Empty description={say('none')} />}
      <ul className="token-rows">
        {tokens.map(each => (
          <Token key={each.id} token={each} onRevoked={changed} />
        ))}
      </ul>
      {asked.hasNextPage && <Button onClick={() => void asked.fetchNextPage()}>{say('older')}</Button>}
      <Drawer open={making} onClose={() => setMaking(false)} size="large" destroyOnHidden title={say('new')}>
        <TokenForm onMade={made} />
      </Drawer>
      <Modal
        open={secret !== null}
        title={say('secret')}
        closable={false}
        mask={{ closable: false }}
        keyboard={false}
        footer={
          <Button type="primary" onClick={() => setSecret(null)}>
            {say('kept')}
          </Button>
        }
      >
        <p>{say('secret_hint')}</p>
        <code className="token-secret">{secret}</code>
      </Modal>
    </div>
  );
}

function Token({ token, onRevoked }: { token: TokenOut; onRevoked: () => void }) {
  const { of, language } = useWords();
  const say = useTexts(TEXTS);
  const { name } = useServiceWords();
  const { me } = useSession();
  const now_ms = useNow_ms();
  const [asking, setAsking] = useState(false);
  const { act, busy, refusal } = useDeed(
    useCallback((id: number) => given(api.DELETE('/api/v1/tokens/{token}', { params: { path: { token: id } } })), []),
    useCallback(() => {
      setAsking(false);
      onRevoked();
    }, [onRevoked]),
  );
  const isOver = Date.parse(token.expires_at) <= now_ms;
  const place = (site: string) => of(me?.sites.find(each => each.site === site)?.name ?? { zh: site, en: site });
  return (
    <li className={token.revoked_at !== null || isOver ? 'panel token-row token-over' : 'panel token-row'}>
      <div>
        <strong>{token.name}</strong>
        {token.revoked_at !== null && (
          <span className="token-mark">
            {say('revoked', { who: token.revoked_by ?? '', at: moment(language, token.revoked_at, now_ms) })}
          </span>
        )}
        {token.revoked_at === null && isOver && <span className="token-mark">{say('expired')}</span>}
      </div>
      <dl className="facts">
        <dt>{say('rights')}</dt>
        <dd>{token.rights.map(each => name('right', each)).join(' · ')}</dd>
        <dt>{say('sites')}</dt>
        <dd>{token.sites === null ? say('everywhere') : token.sites.map(place).join(' · ')}</dd>
        <dt>{say('expires')}</dt>
        <dd>{moment(language, token.expires_at, now_ms)}</dd>
        <dt>{say('used')}</dt>
        <dd>{token.used_at === null ? say('never') : moment(language, token.used_at, now_ms)}</dd>
        <dt>{say('made_by')}</dt>
        <dd>
          {token.made_by} · {moment(language, token.created_at, now_ms)}
        </dd>
      </dl>
      {token.revoked_at === null && !isOver && (
        <Button danger onClick={() => setAsking(true)} className="token-revoke">
          {say('revoke')}
        </Button>
      )}
      <Modal
        open={asking}
        title={`${say('revoke')}: ${token.name}`}
        okText={say('revoke')}
        okButtonProps={{ danger: true, loading: busy }}
        onOk={() => void act(token.id)}
        onCancel={() => setAsking(false)}
      >
        <p>{say('revoke_means')}</p>
        <Refused refusal={refusal} />
      </Modal>
    </li>
  );
}
