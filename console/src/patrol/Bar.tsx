import { useTexts } from '../words/words';
import { usePatrol } from './PatrolContext';
import { TEXTS } from './texts';

/** Always in sight: what lies on the phone and what has arrived. */
export function Bar({ onOutbox }: { onOutbox: () => void }) {
  const { known } = usePatrol();
  const say = useTexts(TEXTS);
  const mine = known.entries.filter(each => each.person === known.me?.person.id && each.kind === 'visit');
  const sent = mine.filter(each => each.state === 'sent').length;
  const refused = [...known.entries, ...known.photos].filter(each => each.state === 'refused').length;
  const photos = known.photos.filter(each => each.state === 'waiting').length;
  const waits = known.entries.some(each => each.state === 'waiting') || photos > 0;
  return (
    <button
      type="button"
      className={`bar bar-${refused > 0 ? 'refused' : waits ? 'waits' : 'sent'}`}
      onClick={onOutbox}
    >
      <strong>{say('saved_sent', { saved: mine.length - sent, sent })}</strong>
      {refused > 0 && <strong className="bar-alarm">{say('refused_count', { n: refused })}</strong>}
      {photos > 0 && <span>{say('photos_waiting', { n: photos })}</span>}
      {(refused === 0 || known.sending !== 'idle') && <span className="bar-state">{say(known.sending)}</span>}
    </button>
  );
}
