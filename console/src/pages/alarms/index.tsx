import { Alert, Button, Empty, type InputRef, Modal } from 'antd';
import { lazy, Suspense, useCallback, useMemo, useRef, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { useExplained } from '../../api/problem';
import { Waiting } from '../../app/Waiting';
import { useLiveState, useLiveStream } from '../../live/live';
import { useSaved } from '../../session/saved';
import { useSession } from '../../session/session';
import { useNow_ms } from '../../time/now';
import { useWords } from '../../words/words';
import './alarms.css';
import type { Asking } from './Dialogs';
import { Attempt, DEEDS, type Deed, type DeedKind, isPossible, RIGHT_FOR } from './deeds';
import { useHand, useHeld } from './hand';
import { KEYS, type Key, useKeys } from './keys';
import { List, type ListHandle } from './List';
import { alarmLine, compared, EVERYTHING, grouped, isFlood, isHidden, isWanted, type Wanted } from './order';
import { useOutcomes } from './outcomes';
import { type Hindrance, Row } from './Row';
import { type AlarmRow, type Rows, useAlarmRows } from './rows';
import { Toolbar } from './Toolbar';
import { useTrends } from './trends';

const DeedDialog = lazy(() => import('./Dialogs'));
const Why = lazy(() => import('./Why'));

const FRESH_MS = 20_000;
const FLOOD_LOOK_MS = 10_000;
type Saved = { wanted: Wanted; hidden: readonly string[] };

export default function Alarms() {
  const { rows, error, refresh, latest } = useAlarmRows();
  const explained = useExplained();
  if (rows === undefined)
    return error === null ? <Waiting /> : <Alert type="error" showIcon title={explained(error)} />;
  return <Console rows={rows} refresh={refresh} latest={latest} />;
}

/** The floods of the last ten minutes, looked at every ten seconds: nothing that needs the second. */
function useFlood(rows: Rows): boolean {
  const now_ms = Math.floor(useNow_ms() / FLOOD_LOOK_MS) * FLOOD_LOOK_MS;
  return useMemo(() => isFlood(rows.values(), now_ms), [rows, now_ms]);
}

type ConsoleProps = {
  rows: Rows;
  refresh: (ids: readonly number[]) => Promise<void>;
  latest: () => Rows;
};

function Console({ rows, refresh, latest }: ConsoleProps) {
  const { t } = useWords();
  const { can } = useSession();
  const stream = useLiveStream();
  const { health } = useLiveState();
  const [saved, save] = useSaved<Saved>('alarms', { wanted: EVERYTHING, hidden: [] });
  const wanted = useMemo(() => ({ ...EVERYTHING, ...saved.wanted }), [saved.wanted]);
  const [selected, setSelected] = useState<ReadonlySet<number>>(new Set());
  const [openGroups, setOpenGroups] = useState<ReadonlySet<string>>(new Set());
  const [current, setCurrent] = useState<number | null>(null);
  const [asking, setAsking] = useState<Asking | null>(null);
  const [help, setHelp] = useState(false);
  const [inSight, setInSight] = useState<readonly number[]>([]);
  const [params, setParams] = useSearchParams();
  const why = Number(params.get('alarm')) || null;
  const list = useRef<ListHandle>(null);
  const search = useRef<InputRef>(null);
  const lastSelected = useRef<number | null>(null);
  const days = useTrends(inSight);
  const flood = useFlood(rows);
  const isGrouped = wanted.grouping === 'on' || (wanted.grouping === 'auto' && flood);

  const arranged = useMemo(
    () => [...rows.values()].filter(row => isWanted(row, wanted)).sort(compared(wanted.sort)),
    [rows, wanted],
  );
  const hand = useHand(asking !== null || why !== null);
  const shown = useHeld(rows, arranged, hand.on, wanted);
  const lines = useMemo(
    () => (wanted.grouping === 'off' ? shown.rows.map(alarmLine) : grouped(shown.rows, openGroups, isGrouped)),
    [wanted.grouping, isGrouped, shown.rows, openGroups],
  );
  const hiddenColumns = useMemo(() => new Set(saved.hidden), [saved.hidden]);
  const away = useMemo(() => [...rows.values()].filter(isHidden).length, [rows]);
  const chosen = useMemo(() => [...selected].flatMap(id => rows.get(id) ?? []), [selected, rows]);

  const hindrance = useCallback(
    (kind: DeedKind, row: AlarmRow): Hindrance => {
      if (!can(RIGHT_FOR[kind], row.alarm.facility.site)) return 'right';
      return isPossible(kind, row) ? null : 'state';
    },
    [can],
  );
  const tell = useOutcomes(refresh, latest);
  const start = useCallback(
    (kind: DeedKind, among: readonly AlarmRow[]) => {
      const able = among.filter(row => hindrance(kind, row) === null);
      if (able.length === 0) return;
      const byClick = kind === 'acknowledge' && !able.some(row => row.acknowledge_note_required);
      if (kind !== 'reset' && !byClick) {
        setAsking({ kind, rows: able });
        return;
      }
      const deed: Deed = { kind };
      void new Attempt(deed, able, stream.now_ms()).run().then(outcomes => tell(deed, able, outcomes));
      setSelected(new Set());
    },
    [hindrance, tell, stream],
  );
  const doOne = useCallback((kind: DeedKind, row: AlarmRow) => start(kind, [row]), [start]);
  const showWhy = useCallback(
    (id: number | null) => setParams(id === null ? {} : { alarm: String(id) }, { replace: true }),
    [setParams],
  );
  const select = useCallback(
    (id: number, range: boolean) => {
      const ids = lines.flatMap(line => (line.kind === 'alarm' ? [line.row.alarm.id] : []));
      const [from, to] = [ids.indexOf(lastSelected.current ?? id), ids.indexOf(id)];
      const meant = range && from >= 0 ? ids.slice(Math.min(from, to), Math.max(from, to) + 1) : [id];
      setSelected(before => {
        const after = new Set(before);
        for (const each of meant) {
          if (range || !before.has(each)) after.add(each);
          else after.delete(each);
        }
        return after;
      });
      lastSelected.current = id;
      setCurrent(id);
    },
    [lines],
  );
  const selectAll = useCallback((ids: readonly number[], on: boolean) => {
    setSelected(before => {
      const after = new Set(before);
      for (const id of ids) {
        if (on) after.add(id);
        else after.delete(id);
      }
      return after;
    });
  }, []);
  const openGroup = useCallback(
    (key: string) =>
      setOpenGroups(before =>
        before.has(key) ? new Set([...before].filter(each => each !== key)) : new Set([...before, key]),
      ),
    [],
  );

  function step(by: 1 | -1) {
    const places = lines.flatMap((line, place) => (line.kind === 'alarm' ? [{ id: line.row.alarm.id, place }] : []));
    const at = places.findIndex(each => each.id === current);
    const next = places[at < 0 ? 0 : Math.max(0, Math.min(places.length - 1, at + by))];
    if (next === undefined) return;
    hand.touch();
    setCurrent(next.id);
    list.current?.show(next.place);
  }
  function press(key: Key) {
    const row = current === null ? undefined : rows.get(current);
    const meant = chosen.length > 0 ? chosen : row === undefined ? [] : [row];
    switch (key) {
      case 'next':
        return step(1);
      case 'previous':
        return step(-1);
      case 'acknowledge':
      case 'shelve':
        return start(key, meant);
      case 'why':
        return row === undefined ? undefined : showWhy(row.alarm.id);
      case 'select':
        return row === undefined ? undefined : select(row.alarm.id, false);
      case 'search':
        return search.current?.focus({ cursor: 'all' });
      case 'help':
        return setHelp(true);
    }
  }
  useKeys(press);

  return (
    <div className={health === 'live' || health === 'connecting' ? 'alarms' : 'alarms alarms-stale'}>
      <Toolbar
        wanted={wanted}
        columns={saved.hidden}
        search={search}
        onChange={change => save({ wanted: { ...wanted, ...change } })}
        onColumns={hidden => save({ hidden })}
        onHelp={() => setHelp(true)}
      />
      <div className="strip">
        <span role="status">{t('alarms.count', { n: arranged.length, all: rows.size - away })}</span>
        {away > 0 && <Link to="/shelf">{t('alarms.away', { n: away })}</Link>}
        {isGrouped && flood && (
          <span className="flood" role="status">
            {t('alarms.flood')}
          </span>
        )}
        {shown.waiting > 0 && (
          <Button
            className="waiting-chip"
            size="small"
            type="primary"
            onClick={() => {
              hand.release();
              list.current?.top();
            }}
          >
            {t('alarms.waiting', { n: shown.waiting })}
          </Button>
        )}
      </div>
      {chosen.length > 0 && (
        <Bulk
          rows={chosen}
          hindrance={hindrance}
          onDo={kind => start(kind, chosen)}
          onNone={() => setSelected(new Set())}
        />
      )}
      {lines.length === 0 ? (
        <Empty
          className="nothing"
          image={Empty.PRESENTED_IMAGE_SIMPLE}
          description={t(rows.size - away === 0 ? 'alarms.none' : 'alarms.none_wanted')}
        >
          {rows.size - away > 0 && (
            <Button onClick={() => save({ wanted: { ...EVERYTHING, sort: wanted.sort } })}>{t('filter.clear')}</Button>
          )}
        </Empty>
      ) : (
        <List
          ref={list}
          lines={lines}
          selected={selected}
          onSelectAll={selectAll}
          onOpen={openGroup}
          onInSight={setInSight}
          handlers={hand.handlers}
        >
          {row => (
            <Row
              row={row}
              day={days.get(row.alarm.id)}
              selected={selected.has(row.alarm.id)}
              current={current === row.alarm.id}
              fresh={stream.now_ms() - Date.parse(row.alarm.raised_at) < FRESH_MS}
              gone={shown.gone.has(row.alarm.id)}
              hidden={hiddenColumns}
              hindrance={hindrance}
              onSelect={select}
              onDo={doOne}
              onWhy={showWhy}
            />
          )}
        </List>
      )}
      <Suspense fallback={null}>
        {asking !== null && (
          <DeedDialog
            asking={asking}
            onClose={() => setAsking(null)}
            onEnd={(deed, among, outcomes) => {
              setAsking(null);
              setSelected(new Set());
              void tell(deed, among, outcomes);
            }}
          />
        )}
        {why !== null && <Why id={why} row={rows.get(why)} onClose={() => showWhy(null)} />}
      </Suspense>
      <Modal open={help} title={t('keys.title')} footer={null} onCancel={() => setHelp(false)}>
        <dl className="keys">
          {Object.entries(KEYS).map(([key, meaning]) => (
            <div key={key}>
              <dt>
                <kbd>{key.toUpperCase()}</kbd>
              </dt>
              <dd>{t(`keys.${meaning}`)}</dd>
            </div>
          ))}
        </dl>
      </Modal>
    </div>
  );
}

type BulkProps = {
  readonly rows: readonly AlarmRow[];
  readonly hindrance: (kind: DeedKind, row: AlarmRow) => Hindrance;
  readonly onDo: (kind: DeedKind) => void;
  readonly onNone: () => void;
};

/** What can be done to those that are selected; each says for how many of them. */
function Bulk({ rows, hindrance, onDo, onNone }: BulkProps) {
  const { t } = useWords();
  return (
    <div className="bulk" role="toolbar" aria-label={t('alarms.selected', { n: rows.length })}>
      <strong>{t('alarms.selected', { n: rows.length })}</strong>
      {DEEDS.map(kind => {
        const hindrances = rows.map(row => hindrance(kind, row));
        if (hindrances.every(each => each === 'right')) return null;
        const able = hindrances.filter(each => each === null).length;
        return (
          <Button key={kind} disabled={able === 0} onClick={() => onDo(kind)}>
            {t(`deed.${kind}`)} {able < rows.length ? `(${able})` : ''}
          </Button>
        );
      })}
      <Button type="text" onClick={onNone}>
        {t('alarms.select_none')}
      </Button>
    </div>
  );
}
