import { Button, Empty, Input, Segmented, Select } from 'antd';
import { useMemo } from 'react';
import { useSearchParams } from 'react-router';
import { useExplained } from '../../api/problem';
import { useNarrow } from '../../app/theme';
import { Waiting } from '../../app/Waiting';
import { SiteFilter } from '../../session/SiteFilter';
import { useSession } from '../../session/session';
import { useServiceWords } from '../../words/vocabulary';
import { useWords } from '../../words/words';
import { Board, OrderCard } from './Board';
import { byDeadline } from './clocks';
import { OrderTable } from './OrderTable';
import {
  ENDED_STATES,
  laneOf,
  OPEN_MAX,
  OPEN_STATES,
  type Order,
  PRIORITIES,
  useEndedOrders,
  useOpenOrders,
} from './orders';
import '../../app/panels.css';
import './orders.css';
import { type Filters, matches, read, written } from './filters';
import { type Placed, type Steady, useSteady } from './steady';

export default function WorkOrders() {
  const [params, setParams] = useSearchParams();
  const filters = useMemo(() => read(params), [params]);
  const change = (changed: Partial<Filters>) => setParams(written({ ...filters, ...changed }), { replace: true });
  return (
    <div className="orders">
      <FilterBar filters={filters} change={change} />
      {filters.view === 'ended' ? <Ended filters={filters} /> : <Open filters={filters} />}
    </div>
  );
}

function FilterBar({ filters, change }: { filters: Filters; change: (changed: Partial<Filters>) => void }) {
  const { t } = useWords();
  const { name } = useServiceWords();
  const narrow = useNarrow();
  const states = filters.view === 'ended' ? ENDED_STATES : OPEN_STATES;
  const views = narrow ? (['list', 'ended'] as const) : (['board', 'list', 'ended'] as const);
  return (
    <search className="filters">
      <Segmented
        aria-label={t('orders.view')}
        value={narrow && filters.view === 'board' ? 'list' : filters.view}
        options={views.map(value => ({ value, label: t(`orders.view_${value}`) }))}
        onChange={view => change({ view, states: [] })}
      />
      <Segmented
        aria-label={t('orders.whose')}
        value={filters.mine ? 'mine' : 'all'}
        options={(['all', 'mine'] as const).map(value => ({ value, label: t(`orders.whose_${value}`) }))}
        onChange={whose => change({ mine: whose === 'mine' })}
      />
      <SiteFilter label={t('orders.site')} value={filters.site} onChange={site => change({ site })} />
      {filters.view !== 'board' && (
        <Select
          aria-label={t('orders.state')}
          mode="multiple"
          maxTagCount="responsive"
          placeholder={t('orders.state')}
          value={[...filters.states]}
          options={states.map(each => ({ value: each, label: name('work_order_state', each) }))}
          onChange={chosen => change({ states: chosen })}
        />
      )}
      <Select
        aria-label={t('orders.priority')}
        mode="multiple"
        maxTagCount="responsive"
        placeholder={t('orders.priority')}
        value={[...filters.priorities]}
        options={PRIORITIES.map(each => ({ value: each, label: name('priority', each) }))}
        onChange={chosen => change({ priorities: chosen })}
      />
      <Input.Search
        aria-label={t('orders.search')}
        allowClear
        placeholder={t('orders.search')}
        defaultValue={filters.words}
        maxLength={100}
        onSearch={words => change({ words })}
      />
    </search>
  );
}

function Open({ filters }: { filters: Filters }) {
  const { t } = useWords();
  const { me } = useSession();
  const explained = useExplained();
  const asked = useOpenOrders(filters.site ?? undefined);
  const wanted = useMemo<readonly Placed<Order>[]>(
    () =>
      (asked.data?.orders ?? [])
        .filter(order => matches(order, filters, me?.person.name ?? null))
        .sort(byDeadline)
        .map(order => ({ row: order, column: laneOf(order.state) })),
    [asked.data, filters, me],
  );
  const steady = useSteady(wanted);
  if (asked.isPending) return <Waiting />;
  if (asked.data === undefined)
    return (
      <p className="refused" role="alert">
        {explained(asked.error)}
      </p>
    );
  return (
    <>
      {asked.data.more && <p className="notice">{t('orders.more', { n: OPEN_MAX })}</p>}
      {steady.waiting > 0 && (
        <Button size="small" className="waiting-rows" onClick={steady.release}>
          {t('orders.waiting', { n: steady.waiting })}
        </Button>
      )}
      {steady.placed.length === 0 ? (
        <Empty description={t('orders.none')} />
      ) : (
        <Shown steady={steady} asBoard={filters.view === 'board'} />
      )}
    </>
  );
}

function Shown({ steady, asBoard }: { steady: Steady<Order>; asBoard: boolean }) {
  const { t } = useWords();
  const narrow = useNarrow();
  if (narrow)
    return (
      <ul className="cards" aria-label={t('orders.view_list')} {...steady.hold}>
        {steady.placed.map(each => (
          <OrderCard key={each.row.id} placed={each} stated />
        ))}
      </ul>
    );
  return asBoard ? <Board {...steady} /> : <OrderTable {...steady} />;
}

function Ended({ filters }: { filters: Filters }) {
  const { t } = useWords();
  const { me } = useSession();
  const narrow = useNarrow();
  const explained = useExplained();
  const states = filters.states.length > 0 ? filters.states : ENDED_STATES;
  const asked = useEndedOrders(filters.site ?? undefined, states);
  if (asked.isPending) return <Waiting />;
  if (asked.data === undefined)
    return (
      <p className="refused" role="alert">
        {explained(asked.error)}
      </p>
    );
  const placed = asked.data.pages
    .flatMap(page => page.items)
    .filter(order => matches(order, filters, me?.person.name ?? null))
    .map(order => ({ row: order, column: laneOf(order.state) }));
  return (
    <>
      {placed.length === 0 && <Empty description={t('orders.none')} />}
      {placed.length > 0 &&
        (narrow ? (
          <ul className="cards">
            {placed.map(each => (
              <OrderCard key={each.row.id} placed={each} stated />
            ))}
          </ul>
        ) : (
          <OrderTable placed={placed} />
        ))}
      {asked.hasNextPage && (
        <Button block loading={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>
          {t('orders.older')}
        </Button>
      )}
    </>
  );
}
