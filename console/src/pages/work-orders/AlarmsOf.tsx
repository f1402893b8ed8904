import { useQueries } from '@tanstack/react-query';
import { Link } from 'react-router';
import { api, given } from '../../api/client';
import { useLiveQueries } from '../../live/live';
import { useNow_ms } from '../../time/now';
import { duration, moment } from '../../time/spoken';
import { useServiceWords } from '../../words/vocabulary';
import { useWords } from '../../words/words';
import type { Order } from './orders';

const SHOWN_MAX = 20;

/** The alarms an order is about, the newest first, as they stand now. */
export function AlarmsOf({ order }: { order: Order }) {
  const { t, of, language } = useWords();
  const { name } = useServiceWords();
  const now_ms = useNow_ms();
  const shown = [...order.alarms].sort((a, b) => b - a).slice(0, SHOWN_MAX);
  useLiveQueries(['alarm'], ['alarm-of-order', order.id]);
  const asked = useQueries({
    queries: shown.map(alarm => ({
      queryKey: ['alarm-of-order', order.id, alarm],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        given(api.GET('/api/v1/alarms/{alarm}', { params: { path: { alarm } }, signal })),
    })),
  });
  return (
    <section className="panel" aria-label={t('orders.alarms')}>
      <h3>
        {t('orders.alarms')} <span className="count">{order.alarms.length}</span>
      </h3>
      {order.alarms.length === 0 && <p className="faint">{t('orders.no_alarms')}</p>}
      <ul className="lines">
        {asked.map((each, place) => {
          const found = each.data?.alarm;
          if (found === undefined) return <li key={shown[place]}>#{shown[place]}</li>;
          return (
            <li key={found.id}>
              <Link to={`/alarms?alarm=${found.id}`}>
                <strong>{of(found.title)}</strong>
              </Link>
              <span>{name('severity', found.severity)}</span>
              <span>{name('shown_state', found.shown)}</span>
              <span className="faint">
                {moment(language, found.raised_at, now_ms)}
                {found.ended_at === null && ` · ${duration(language, now_ms - Date.parse(found.raised_at))}`}
              </span>
            </li>
          );
        })}
      </ul>
      {order.alarms.length > SHOWN_MAX && <p className="faint">{t('orders.alarms_more', { n: SHOWN_MAX })}</p>}
    </section>
  );
}
