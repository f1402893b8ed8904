import { PlusOutlined } from '@ant-design/icons';
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { Button, Drawer, Modal, Segmented } from 'antd';
import { useCallback, useState } from 'react';
import { api, given } from '../../api/client';
import { useExplained } from '../../api/problem';
import type { PersonRow } from '../../api/schema';
import { Scrolled } from '../../app/Scrolled';
import { Waiting } from '../../app/Waiting';
import { Refused } from '../../deeds/Refused';
import { useDeed } from '../../deeds/useDeed';
import { useSession } from '../../session/session';
import { useNow_ms } from '../../time/now';
import { moment } from '../../time/spoken';
import { useServiceWords } from '../../words/vocabulary';
import { useTexts, useWords } from '../../words/words';
import { PersonForm } from './PersonForm';
import { TEXTS } from './texts';
import '../../app/panels.css';
import './people.css';

const PEOPLE = ['people'] as const;

export default function People() {
  const say = useTexts(TEXTS);
  const [view, setView] = useState<'people' | 'roles'>('people');
  return (
    <div className="people">
      <div className="filters">
        <Segmented
          aria-label={say('view')}
          value={view}
          options={(['people', 'roles'] as const).map(value => ({ value, label: say(`view_${value}`) }))}
          onChange={setView}
        />
      </div>
      {view === 'people' ? <List /> : <Roles />}
    </div>
  );
}

type Told = { readonly name: string; readonly login: string; readonly password: string };

function List() {
  const say = useTexts(TEXTS);
  const explained = useExplained();
  const queries = useQueryClient();
  const [chosen, setChosen] = useState<PersonRow | 'new' | null>(null);
  const [told, setTold] = useState<Told | null>(null);
  const asked = useInfiniteQuery({
    queryKey: PEOPLE,
    queryFn: ({ pageParam, signal }) =>
      given(
        api.GET('/api/v1/people', {
          params: { query: { limit: 200, ...(pageParam === null ? {} : { after: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: page => page.next,
  });
  const changed = useCallback(
    (person: PersonRow, password: string | null) => {
      setChosen(null);
      if (password !== null) setTold({ name: person.name, login: person.login, password });
      void queries.invalidateQueries({ queryKey: PEOPLE });
    },
    [queries],
  );
  if (asked.isPending) return <Waiting />;
  if (asked.data === undefined)
    return (
      <p className="refused" role="alert">
        {explained(asked.error)}
      </p>
    );
  return (
    <>
      <Button type="primary" icon={<PlusOutlined />} className="people-new" onClick={() => setChosen('new')}>
        {say('new')}
      </Button>
      <ul className="person-rows">
        {asked.data.pages
          .flatMap(page => page.items)
          .map(person => (
            <Person
              key={person.id}
              person={person}
              onChange={() => setChosen(person)}
              onDone={password => changed(person, password)}
            />
          ))}
      </ul>
      {asked.hasNextPage && (
        <Button block loading={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>
          {say('more')}
        </Button>
      )}
      <Drawer
        open={chosen !== null}
        onClose={() => setChosen(null)}
        size="large"
        destroyOnHidden
        title={say(chosen === 'new' ? 'new' : 'change')}
      >
        {chosen !== null && <PersonForm person={chosen === 'new' ? null : chosen} onDone={changed} />}
      </Drawer>
      <OneTime told={told} onRead={() => setTold(null)} />
    </>
  );
}

/** Shown once: it is not kept anywhere. */
function OneTime({ told, onRead }: { told: Told | null; onRead: () => void }) {
  const say = useTexts(TEXTS);
  return (
    <Modal
      open={told !== null}
      title={say('one_time')}
      closable={false}
      mask={{ closable: false }}
      keyboard={false}
      footer={
        <Button type="primary" onClick={onRead}>
          {say('told')}
        </Button>
      }
    >
      {told !== null && (
        <>
          <p>{say('one_time_hint', { name: told.name, login: told.login })}</p>
          <code className="one-time">{told.password}</code>
        </>
      )}
    </Modal>
  );
}

type Deed = 'disable' | 'enable' | 'reset';

function Person(props: { person: PersonRow; onChange: () => void; onDone: (password: string | null) => void }) {
  const { of, language } = useWords();
  const say = useTexts(TEXTS);
  const { name } = useServiceWords();
  const { me } = useSession();
  const now_ms = useNow_ms();
  const { person, onDone } = props;
  const [asking, setAsking] = useState<Deed | null>(null);
  const send = useCallback(
    async (deed: Deed): Promise<string | null> => {
      const params = { path: { person: person.id } };
      if (deed === 'reset') return (await given(api.POST('/api/v1/people/{person}/password', { params }))).password;
      const body = { disabled: deed === 'disable', forget_provider: false };
      await given(api.PATCH('/api/v1/people/{person}', { params, body }));
      return null;
    },
    [person.id],
  );
  const { act, busy, refusal, forget } = useDeed(
    send,
    useCallback(
      (password: string | null) => {
        setAsking(null);
        onDone(password);
      },
      [onDone],
    ),
  );
  const isMe = me?.person.id === person.id;
  const isDisabled = person.disabled_at !== null;
  const place = (site: string | null) =>
    site === null ? say('everywhere') : of(me?.sites.find(each => each.site === site)?.name ?? { zh: site, en: site });
  return (
    <li className={isDisabled ? 'panel person-row person-disabled' : 'panel person-row'}>
      <div className="person-who">
        <strong>{person.name}</strong> <span className="faint">{person.login}</span>
        {person.disabled_at !== null && (
          <span className="person-mark">
            {say('disabled', { who: person.disabled_by ?? '', at: moment(language, person.disabled_at, now_ms) })}
          </span>
        )}
      </div>
      <ul className="person-roles">
        {person.memberships.map(each => (
          <li key={`${each.site}${each.role}`}>
            {name('role', each.role)} <span className="faint">{place(each.site)}</span>
          </li>
        ))}
      </ul>
      <div className="person-deeds">
        <Button onClick={props.onChange}>{say('change')}</Button>
        {!isDisabled && <Button onClick={() => setAsking('reset')}>{say('reset')}</Button>}
        {!isMe && (
          <Button danger={!isDisabled} onClick={() => setAsking(isDisabled ? 'enable' : 'disable')}>
            {say(isDisabled ? 'enable' : 'disable')}
          </Button>
        )}
      </div>
      <Modal
        open={asking !== null}
        title={asking === null ? '' : `${say(asking)}: ${person.name}`}
        okText={asking === null ? '' : say(asking)}
        okButtonProps={{ danger: asking === 'disable', loading: busy }}
        onOk={() => asking !== null && void act(asking)}
        onCancel={() => {
          forget();
          setAsking(null);
        }}
      >
        {asking !== null && <p>{say(`means_${asking}`)}</p>}
        <Refused refusal={refusal} />
      </Modal>
    </li>
  );
}

/** The table in the code, as the service tells it. */
function Roles() {
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const explained = useExplained();
  const asked = useQuery({
    queryKey: ['roles'],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) => given(api.GET('/api/v1/roles', { signal })),
  });
  if (asked.isPending) return <Waiting />;
  if (asked.data === undefined) return <p role="alert">{explained(asked.error)}</p>;
  const { roles, rights } = asked.data;
  return (
    <Scrolled>
      <table className="table roles">
        <thead>
          <tr>
            <th scope="col">{say('right')}</th>
            {roles.map(each => (
              <th key={each.key} scope="col">
                {of(each.title)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rights.map(right => (
            <tr key={right.key}>
              <th scope="row">{of(right.title)}</th>
              {roles.map(role => (
                <td key={role.key}>{role.rights.includes(right.key) ? say('yes') : ''}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolled>
  );
}
