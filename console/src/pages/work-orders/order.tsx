import { ArrowLeftOutlined } from '@ant-design/icons';
import { Link, useParams } from 'react-router';
import { Failed, useExplained } from '../../api/problem';
import { Waiting } from '../../app/Waiting';
import { GradeMark } from '../../drawn/GradeMark';
import { useSession } from '../../session/session';
import { useNow_ms } from '../../time/now';
import { moment } from '../../time/spoken';
import { useServiceWords, useVocabulary } from '../../words/vocabulary';
import { useWords } from '../../words/words';
import { AlarmsOf } from './AlarmsOf';
import { CallBack } from './CallBack';
import { ClockSign, ClockWords, clockClass } from './ClockFace';
import { clockStates } from './clocks';
import { Hazard } from './Hazard';
import { Journal } from './Journal';
import { PriorityWord, StateMark } from './Marks';
import { MovePanel } from './MovePanel';
import { NoteForm } from './NoteForm';
import { type Order, useOrder } from './orders';
import { Parts } from './Parts';
import { Photos } from './Photos';
import { Presence } from './Presence';
import { Signature } from './Signature';
import '../../app/panels.css';
import './orders.css';

export default function WorkOrder() {
  const id = Number(useParams().order);
  const { t } = useWords();
  const explained = useExplained();
  const { can } = useSession();
  const asked = useOrder(id);
  const vocabulary = useVocabulary();
  const isNone = !Number.isSafeInteger(id) || id < 1 || (asked.error instanceof Failed && asked.error.status === 404);
  if (isNone)
    return (
      <p className="refused" role="alert">
        {t('orders.no_such')} <Link to="/work-orders">{t('orders.to_list')}</Link>
      </p>
    );
  if (asked.isPending || vocabulary === undefined) return <Waiting />;
  if (asked.data === undefined)
    return (
      <p className="refused" role="alert">
        {explained(asked.error)}
      </p>
    );
  const order = asked.data.work_order;
  return (
    <article className="order">
      <div className="order-main">
        <Head order={order} />
        <MovePanel detail={asked.data} />
        <Presence detail={asked.data} />
        <Hazard detail={asked.data} />
        <Clocks order={order} />
        <AlarmsOf order={order} />
        <Photos detail={asked.data} />
        <Parts detail={asked.data} />
      </div>
      <div className="order-side">
        <Signature detail={asked.data} />
        <CallBack detail={asked.data} />
        {can('comment', order.facility.site) && <NoteForm order={order.id} />}
        <Journal order={order.id} journal={asked.data.journal} />
      </div>
    </article>
  );
}

function Head({ order }: { order: Order }) {
  const { t, of, language } = useWords();
  const { name } = useServiceWords();
  const { me } = useSession();
  const now_ms = useNow_ms();
  const site = me?.sites.find(each => each.site === order.facility.site)?.name;
  return (
    <header className="panel order-head">
      <Link to="/work-orders" className="back">
        <ArrowLeftOutlined /> {t('orders.to_list')}
      </Link>
      <div className="order-marks">
        <PriorityWord priority={order.priority} />
        <StateMark state={order.state} />
        <span className="faint">#{order.id}</span>
      </div>
      <h2 className="order-title">{of(order.title)}</h2>
      <dl className="facts">
        <dt>{t('orders.facility')}</dt>
        <dd>
          <GradeMark grade={order.facility.grade} /> {of(order.facility.name)}
          {site && <span className="faint"> · {of(site)}</span>}
        </dd>
        <dt>{t('orders.work_class')}</dt>
        <dd>{name('work_class', order.work_class)}</dd>
        <dt>{t('orders.assignee')}</dt>
        <dd>{order.assignee ?? <span className="faint">{t('orders.nobody')}</span>}</dd>
        <dt>{t('orders.opened')}</dt>
        <dd>
          {moment(language, order.opened_at, now_ms)} · {name('actor', order.opened_by)} · {of(order.open_reason)}
        </dd>
        {order.suspended !== null && (
          <>
            <dt>{name('work_order_state', 'suspended')}</dt>
            <dd>
              {moment(language, order.suspended.since, now_ms)} · {order.suspended.why} ·{' '}
              {t('orders.goes_on_as', { state: name('work_order_state', order.suspended.state) })}
            </dd>
          </>
        )}
      </dl>
    </header>
  );
}

function Clocks({ order }: { order: Order }) {
  const { t, language } = useWords();
  const { name } = useServiceWords();
  const now_ms = useNow_ms();
  const clocks = clockStates(order, now_ms);
  return (
    <section className="panel order-clocks" aria-label={t('orders.clocks')}>
      <h3>{t('orders.clocks')}</h3>
      {clocks.length === 0 && <p className="faint">{t('orders.no_clocks')}</p>}
      <ul className="clocks">
        {clocks.map(clock => (
          <li key={clock.clock} className={clockClass(clock)}>
            <ClockSign standing={clock.standing} />
            <span className="clock-name">{name('work_order_clock', clock.clock)}</span>
            <time dateTime={new Date(clock.due_ms).toISOString()}>{moment(language, clock.due_ms, now_ms)}</time>
            <ClockWords clock={clock} />
          </li>
        ))}
      </ul>
    </section>
  );
}
