import type { Reason } from '../../api/schema';
import { useTexts, useWords } from '../../words/words';
import type { Entry, Photo } from '../kept/shapes';
import { dayAndClock } from '../moments';
import { usePatrol } from '../PatrolContext';
import { TEXTS } from '../texts';

/** Everything on the phone, the newest first; what was refused stands on top, with the service's reason. */
export function Outbox({ onBack }: { onBack: () => void }) {
  const { known } = usePatrol();
  const say = useTexts(TEXTS);
  const rank = (each: Entry) => (each.state === 'refused' ? 0 : 1);
  const entries = [...known.entries].sort((one, other) => rank(one) - rank(other) || other.savedAt_ms - one.savedAt_ms);
  const photos = known.photos.filter(each => each.state !== 'sent');
  return (
    <main className="sheet">
      <header>
        <button type="button" className="small" onClick={onBack}>
          ← {say('back')}
        </button>
        <h1>{say('outbox')}</h1>
      </header>
      {entries.length === 0 && photos.length === 0 && <p>{say('outbox_none')}</p>}
      <ul className="cards">
        {photos.map(each => (
          <Line key={each.sha256} id={each.sha256} kept={each} title={say('photo')} />
        ))}
        {entries.map(each => (
          <EntryLine key={each.id} entry={each} />
        ))}
      </ul>
    </main>
  );
}

function EntryLine({ entry }: { entry: Entry }) {
  const { known } = usePatrol();
  const { of, language } = useWords();
  const say = useTexts(TEXTS);
  const answer = entry.kind === 'visit' ? entry.answer : null;
  const said = (reasons: readonly Reason[]) => reasons.map(each => each[language]).join(', ');
  const order = answer?.work_order ?? null;
  const title = entry.kind === 'finish' ? say('finish_entry', { name: of(entry.name) }) : of(entry.name);
  return (
    <Line id={entry.id} kept={entry} title={title}>
      {order !== null && (
        <p className="order">{say(order.opened ? 'order_opened' : 'order_joined', { id: order.id })}</p>
      )}
      {answer !== null && answer.reasons.length > 0 && (
        <p>{say(answer.verdict === 'to_review' ? 'to_review' : 'told', { reasons: said(answer.reasons) })}</p>
      )}
      {entry.person !== known.me?.person.id && entry.state !== 'sent' && (
        <p>{say('of_another', { name: entry.personName })}</p>
      )}
    </Line>
  );
}

type LineProps = { id: string; kept: Entry | Photo; title: string; children?: React.ReactNode };

function Line({ id, kept, title, children }: LineProps) {
  const { patrol, known } = usePatrol();
  const { of } = useWords();
  const say = useTexts(TEXTS);
  return (
    <li className={`card kept-${kept.state}`}>
      <h2>{title}</h2>
      <p>
        <span className="chip">{say(`state_${kept.state}`)}</span>{' '}
        <span className="faint">{dayAndClock(kept.savedAt_ms)}</span>
      </p>
      {kept.why !== null && <p className="wrong">{of(kept.why)}</p>}
      {children}
      {kept.state === 'refused' && kept.person === known.me?.person.id && (
        <button type="button" onClick={() => void patrol.again(id)}>
          {say('again')}
        </button>
      )}
    </li>
  );
}
