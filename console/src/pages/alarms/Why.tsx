import { useQuery } from '@tanstack/react-query';
import { Alert, Button, Drawer, Input } from 'antd';
import { type ReactNode, useRef, useState } from 'react';
import { Link } from 'react-router';
import { api, deedKey, given } from '../../api/client';
import { faults, useExplained } from '../../api/problem';
import type { AlarmDetail } from '../../api/schema';
import { Waiting } from '../../app/Waiting';
import { Mark } from '../../drawn/Mark';
import { Trend } from '../../drawn/Trend';
import { useSpokenValue } from '../../estate/values';
import { useLiveQueries } from '../../live/live';
import { useSession } from '../../session/session';
import { useNow_ms } from '../../time/now';
import { duration, moment } from '../../time/spoken';
import { useServiceWords } from '../../words/vocabulary';
import { useWords } from '../../words/words';
import { AskedFor } from './AskedFor';
import { isUnacknowledged } from './order';
import type { AlarmRow } from './rows';
import { useTrends } from './trends';
import { type Shown, Value } from './Value';

const COMMENT_CHARS_MAX = 4_000;

/** Why do I see this: rule, condition, values, delay, source and guidance; then everything that happened to it. */
export default function Why({ id, row, onClose }: { id: number; row: AlarmRow | undefined; onClose: () => void }) {
  const { t, of } = useWords();
  const explained = useExplained();
  const key = ['alarm', id] as const;
  useLiveQueries(['alarm', 'work_order'], key, 300);
  const { data, error, refetch } = useQuery({
    queryKey: key,
    queryFn: () => given(api.GET('/api/v1/alarms/{alarm}', { params: { path: { alarm: id } } })),
  });
  return (
    <Drawer
      open
      size="min(640px, 100vw)"
      onClose={onClose}
      title={data ? of(data.alarm.title) : t('alarms.why')}
      destroyOnHidden
    >
      {error !== null && <Alert type="error" showIcon title={explained(error)} role="alert" />}
      {data === undefined && error === null && <Waiting />}
      {data !== undefined && <Account detail={data} row={row} onSaid={() => void refetch()} />}
    </Drawer>
  );
}

function Account({ detail, row, onSaid }: { detail: AlarmDetail; row: AlarmRow | undefined; onSaid: () => void }) {
  const { t, of, language } = useWords();
  const { name, kind } = useServiceWords();
  const now_ms = useNow_ms();
  const { alarm, guidance } = detail;
  const day = useTrends([alarm.id]).get(alarm.id);
  return (
    <div className="why">
      <div className="why-head">
        {row && <Mark priority={alarm.priority} grade={alarm.facility.grade} filled={isUnacknowledged(row)} />}
        <div>
          <div>
            {of(alarm.facility.name)}
            {alarm.part === null ? '' : ` · ${alarm.part}`} · {kind(alarm.kind)}
          </div>
          <div className="row-faint">
            {name('severity', alarm.severity)} · {name('priority', alarm.priority)} · {of(alarm.priority_reason)} ·{' '}
            {name('shown_state', alarm.shown)}
          </div>
        </div>
      </div>
      {row && day?.trend && (
        <section>
          <Value row={row} now={day.trend.value as Shown} />
          <div className="why-trend">
            <Trend
              slots={day.trend.slots}
              begin_ms={day.begin_ms}
              end_ms={day.end_ms}
              slot_ms={day.slot_ms}
              limit={day.trend.limit}
              label={t('alarms.trend_of', { point: row.ground ? of(row.ground.name) : '' })}
            />
          </div>
        </section>
      )}
      <AskedFor detail={detail} />
      {guidance !== null && (
        <section>
          <h2>{t('why.guidance')}</h2>
          <dl>
            <Told word={t('why.means')}>{of(guidance.means)}</Told>
            <Told word={t('why.check')}>{of(guidance.check)}</Told>
            <Told word={t('why.call')}>{of(guidance.call)}</Told>
          </dl>
        </section>
      )}
      <Reasons explanation={detail.explanation} rule={alarm.rule} />
      {detail.work_orders.length > 0 && (
        <section>
          <h2>{t('why.orders')}</h2>
          <ul>
            {detail.work_orders.map(order => (
              <li key={order.id}>
                <Link to={`/work-orders/${order.id}`}>
                  #{order.id} {of(order.title)}
                </Link>{' '}
                · {name('work_order_state', order.state)} · {order.assignee ?? t('why.nobody')}
              </li>
            ))}
          </ul>
        </section>
      )}
      <section>
        <h2>{t('why.journal')}</h2>
        <ol className="journal">
          {detail.journal.map(entry => (
            <li key={entry.seq}>
              <time dateTime={entry.at}>{moment(language, entry.at, now_ms)}</time>
              <span>
                <strong>{name('condition_move', entry.move)}</strong> · {name('actor', entry.actor)}
                <span className="row-faint"> · {of(entry.reason)}</span>
                {entry.note !== null && <q>{entry.note}</q>}
              </span>
            </li>
          ))}
        </ol>
      </section>
      <Comments detail={detail} onSaid={onSaid} />
    </div>
  );
}

function Told({ word, children }: { word: string; children: ReactNode }) {
  return (
    <>
      <dt>{word}</dt>
      <dd>{children}</dd>
    </>
  );
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function entries(value: unknown): readonly [string, Shown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value as Record<string, Shown>) : [];
}

function Reasons({ explanation, rule }: { explanation: Readonly<Record<string, unknown>>; rule: string }) {
  const { t, language } = useWords();
  const spoken = useSpokenValue();
  const now_ms = useNow_ms();
  const delay = explanation.on_delay_s;
  const when = text(explanation.when);
  const since = text(explanation.since);
  const clears = text(explanation.clear_when);
  const source = text(explanation.source);
  return (
    <section>
      <h2>{t('why.rule')}</h2>
      <dl>
        {when !== null && (
          <Told word={t('why.when')}>
            <code>{when}</code>
          </Told>
        )}
        {clears !== null && (
          <Told word={t('why.clears')}>
            <code>{clears}</code>
          </Told>
        )}
        {entries(explanation.values).map(([name, value]) => (
          <Told key={name} word={t('why.value')}>
            <code>{name}</code> = {spoken(name, value)}
          </Told>
        ))}
        {entries(explanation.parameters).map(([name, value]) => (
          <Told key={name} word={t('why.parameter')}>
            <code>{name}</code> = {spoken(name, value)}
          </Told>
        ))}
        {typeof delay === 'number' && <Told word={t('why.delay')}>{duration(language, delay * 1_000)}</Told>}
        {since !== null && <Told word={t('why.since')}>{moment(language, since, now_ms)}</Told>}
        {source !== null && <Told word={t('why.source')}>{source}</Told>}
        <Told word={t('why.key')}>
          <code>{rule}</code>
        </Told>
      </dl>
    </section>
  );
}

function Comments({ detail, onSaid }: { detail: AlarmDetail; onSaid: () => void }) {
  const { t, language } = useWords();
  const { can } = useSession();
  const explained = useExplained();
  const now_ms = useNow_ms();
  const [said, setSaid] = useState('');
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const key = useRef(deedKey());

  async function send() {
    setBusy(true);
    setRefusal(null);
    try {
      await given(
        api.POST('/api/v1/alarms/{alarm}/notes', {
          params: { path: { alarm: detail.alarm.id } },
          headers: { 'Idempotency-Key': key.current },
          body: { text: said.trim() },
        }),
      );
      setSaid('');
      key.current = deedKey();
      onSaid();
    } catch (error) {
      setRefusal(faults(error, language).get('text') ?? explained(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <section>
      <h2>{t('why.comments')}</h2>
      <ul className="comments">
        {detail.notes.map(note => (
          <li key={`${note.at}${note.actor}`}>
            <span className="row-faint">
              {note.actor} · {moment(language, note.at, now_ms)}
            </span>
            <div>{note.text}</div>
          </li>
        ))}
      </ul>
      {can('comment', detail.alarm.facility.site) && (
        <>
          <Input.TextArea
            rows={2}
            aria-label={t('comment.text')}
            placeholder={t('comment.text')}
            maxLength={COMMENT_CHARS_MAX}
            value={said}
            onChange={event => {
              setSaid(event.target.value);
              key.current = deedKey();
            }}
          />
          {refusal !== null && <Alert type="error" showIcon title={refusal} role="alert" className="refusal" />}
          <Button onClick={() => void send()} loading={busy} disabled={said.trim() === ''} className="comment-send">
            {t('deed.comment')}
          </Button>
        </>
      )}
    </section>
  );
}
