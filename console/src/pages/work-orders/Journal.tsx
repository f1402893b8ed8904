import { useMutation } from '@tanstack/react-query';
import { Button } from 'antd';
import { useExplained } from '../../api/problem';
import { useNow_ms } from '../../time/now';
import { moment } from '../../time/spoken';
import { useServiceWords } from '../../words/vocabulary';
import { useTexts, useWords } from '../../words/words';
import { type Event, earlier } from './orders';
import { TEXTS } from './texts';

/** All that happened to the order, the newest on top. */
export function Journal({ order, journal }: { order: number; journal: readonly Event[] }) {
  const { t } = useWords();
  const explained = useExplained();
  const first = journal[0]?.seq ?? 1;
  const before = useMutation({ mutationFn: () => earlier(order, first) });
  const all = [...(before.data ?? []), ...journal];
  return (
    <section className="panel order-journal" aria-label={t('orders.journal')}>
      <h3>{t('orders.journal')}</h3>
      <ol className="journal">
        {all.toReversed().map(event => (
          <Entry key={event.seq} event={event} />
        ))}
      </ol>
      {first > 1 && before.data === undefined && (
        <Button loading={before.isPending} onClick={() => before.mutate()}>
          {t('orders.earlier')}
        </Button>
      )}
      {before.isError && <p role="alert">{explained(before.error)}</p>}
    </section>
  );
}

/** What an entry says beside its words: the part used, who signed, how it was rated. */
function Told({ event }: { event: Event }) {
  const say = useTexts(TEXTS);
  const { detail } = event;
  const told = (() => {
    switch (event.move) {
      case 'part':
      case 'part_struck':
        return [detail.name, detail.model, `${detail.quantity} ${detail.unit}`].filter(Boolean).join(' · ');
      case 'arrive':
      case 'witness':
        return detail.means === undefined
          ? null
          : say(`means_${detail.means}` as keyof typeof TEXTS, { tag: String(detail.tag) });
      case 'signature':
        return String(detail.signer);
      case 'photo':
        return say(detail.stage === 'after' ? 'stage_after' : 'stage_before');
      case 'call_back':
        return `${detail.spoken_with} · ${say('of_five', { n: Number(detail.rating) })}`;
      default:
        return null;
    }
  })();
  return told === null ? null : <span>{told}</span>;
}

function Entry({ event }: { event: Event }) {
  const { of, language } = useWords();
  const { name } = useServiceWords();
  const now_ms = useNow_ms();
  const moved = event.from_state !== event.to_state;
  const word = event.clock === null ? name('work_order_move', event.move) : of(event.reason);
  return (
    <li className={event.move === 'breach' ? 'entry entry-breach' : 'entry'}>
      <span className="entry-top">
        <strong>{word}</strong>
        {moved && <span className="faint">→ {name('work_order_state', event.to_state)}</span>}
        <span className="entry-who">{name('actor', event.actor)}</span>
        <time dateTime={event.at} className="faint">
          {moment(language, event.at, now_ms)}
        </time>
      </span>
      {event.reason.key !== 'person' && event.clock === null && <span className="faint">{of(event.reason)}</span>}
      <Told event={event} />
      {event.note !== null && <p className="entry-note">{event.note}</p>}
    </li>
  );
}
