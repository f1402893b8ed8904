import { CaretDownOutlined, CaretRightOutlined } from '@ant-design/icons';
import { useVirtualizer } from '@tanstack/react-virtual';
import { Button, Checkbox } from 'antd';
import { type ReactNode, type Ref, useEffect, useImperativeHandle, useRef } from 'react';
import { useLarge, useNarrow } from '../../app/theme';
import { Mark } from '../../drawn/Mark';
import { isOfCalendar } from '../../estate/standing';
import { useSession } from '../../session/session';
import { useWords } from '../../words/words';
import { isUnacknowledged, type Line } from './order';
import type { AlarmRow } from './rows';

export type ListHandle = { readonly show: (place: number) => void; readonly top: () => void };

type Props = {
  readonly ref: Ref<ListHandle>;
  readonly lines: readonly Line[];
  readonly selected: ReadonlySet<number>;
  readonly onSelectAll: (ids: readonly number[], chosen: boolean) => void;
  readonly onOpen: (key: string) => void;
  readonly onInSight: (ids: readonly number[]) => void;
  readonly handlers: object;
  readonly children: (row: AlarmRow) => ReactNode;
};

/** Only what is in sight is drawn, however much there is. */
export function List({ ref, lines, selected, onSelectAll, onOpen, onInSight, handlers, children }: Props) {
  const { t } = useWords();
  const narrow = useNarrow();
  const large = useLarge();
  const scroller = useRef<HTMLDivElement>(null);
  const height = narrow ? 148 : large ? 92 : 58;
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: place => (lines[place]?.kind === 'group' ? (narrow || large ? 64 : 44) : height),
    getItemKey: place => lines[place]?.key ?? place,
    overscan: 6,
  });
  useEffect(() => {
    if (height > 0) virtual.measure();
  }, [virtual, height]);
  useImperativeHandle(
    ref,
    () => ({ show: place => virtual.scrollToIndex(place, { align: 'auto' }), top: () => virtual.scrollToOffset(0) }),
    [virtual],
  );
  const items = virtual.getVirtualItems();
  const inSight = items.flatMap(item => {
    const line = lines[item.index];
    return line?.kind === 'alarm' ? [line.row.alarm.id] : [];
  });
  const told = inSight.join(' ');
  useEffect(() => onInSight(told === '' ? [] : told.split(' ').map(Number)), [told, onInSight]);
  return (
    <section ref={scroller} className="alarm-list" aria-label={t('nav.alarms')} {...handlers}>
      <ol className="alarm-lines" style={{ height: virtual.getTotalSize() }}>
        {items.map(item => {
          const line = lines[item.index];
          if (line === undefined) return null;
          return (
            <li
              key={item.key}
              aria-setsize={lines.length}
              aria-posinset={item.index + 1}
              className="alarm-line"
              style={{ height: item.size, transform: `translateY(${item.start}px)` }}
            >
              {line.kind === 'alarm' ? (
                children(line.row)
              ) : (
                <Group line={line} selected={selected} onSelectAll={onSelectAll} onOpen={onOpen} />
              )}
            </li>
          );
        })}
      </ol>
    </section>
  );
}

type GroupProps = Pick<Props, 'selected' | 'onSelectAll' | 'onOpen'> & { line: Extract<Line, { kind: 'group' }> };

/** The heading of all alarms of one cause at one place, or at one site by the calendar. */
function Group({ line, selected, onSelectAll, onOpen }: GroupProps) {
  const { t, of } = useWords();
  const { me } = useSession();
  const [first] = line.rows;
  if (first === undefined) return null;
  const ids = line.rows.map(row => row.alarm.id);
  const chosen = ids.filter(id => selected.has(id)).length;
  const unseen = line.rows.filter(isUnacknowledged).length;
  const worst = line.rows.reduce((a, b) => (a.alarm.facility.grade <= b.alarm.facility.grade ? a : b)).alarm;
  const title = of(first.alarm.title);
  const site = me?.sites.find(each => each.site === first.alarm.facility.site)?.name;
  const place = isOfCalendar(first.alarm) ? site : first.area.name;
  return (
    <div className="group-line">
      <Checkbox
        checked={chosen === ids.length}
        indeterminate={chosen > 0 && chosen < ids.length}
        aria-label={t('alarms.select', { title })}
        onChange={event => onSelectAll(ids, event.target.checked)}
      />
      <Mark priority={first.alarm.priority} grade={worst.facility.grade} filled={unseen > 0} />
      <Button
        type="text"
        className="group-title"
        aria-expanded={line.open}
        icon={line.open ? <CaretDownOutlined aria-hidden="true" /> : <CaretRightOutlined aria-hidden="true" />}
        onClick={() => onOpen(line.key)}
      >
        <span className="group-words">
          <strong>
            {place === undefined ? '' : `${of(place)} · `}
            {title}
          </strong>
          <span className="row-faint">{t('alarms.group', { n: ids.length, unseen })}</span>
        </span>
      </Button>
    </div>
  );
}
