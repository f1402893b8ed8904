import { useState } from 'react';
import { useExplained } from '../../api/problem';
import type { RoundLine } from '../../api/schema';
import { useTexts, useWords } from '../../words/words';
import { Language } from '../Language';
import { dayAndClock, span } from '../moments';
import { usePatrol } from '../PatrolContext';
import { isEnded } from '../rounds';
import { TEXTS } from '../texts';
import type { View } from '../views';

const OPEN = new Set<RoundLine['state']>(['due', 'due_soon', 'walking', 'overdue', 'upcoming']);

export function Today({ go, dark, turnDark }: { go: (view: View) => void; dark: boolean; turnDark: () => void }) {
  const { patrol, known } = usePatrol();
  const say = useTexts(TEXTS);
  const open = known.lines.filter(each => OPEN.has(each.state));
  const over = known.lines.filter(each => !OPEN.has(each.state));
  return (
    <main className="sheet">
      <header>
        <h1>{say('today')}</h1>
        <Language />
        <button type="button" className="small" onClick={turnDark} aria-pressed={dark}>
          {say(dark ? 'bright' : 'dark')}
        </button>
      </header>
      <p className="faint">
        {known.me?.person.name} ·{' '}
        {known.readAt_ms === null ? say('never_read') : say('read_at', { at: dayAndClock(known.readAt_ms) })}
      </p>
      {known.readAt_ms !== null && known.lines.length === 0 && <p>{say('none')}</p>}
      <ul className="cards">
        {[...open, ...over].map(line => (
          <Line key={`${line.site}/${line.plan}/${line.window_from}`} line={line} go={go} />
        ))}
      </ul>
      <footer>
        <a className="small" href="/">
          {say('console')}
        </a>
        <button type="button" className="small" onClick={() => void patrol.signOut().catch(() => undefined)}>
          {say('sign_out')}
        </button>
      </footer>
    </main>
  );
}

/** The patroller's signature: once the round has ended and nothing of it lies on the phone any more. */
function Signing({ line }: { line: RoundLine }) {
  const { patrol, known } = usePatrol();
  const say = useTexts(TEXTS);
  const explained = useExplained();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState('');
  const ended = isEnded(line.round, known) || line.state === 'finished' || line.state === 'incomplete';
  // What was refused will not come any more, and stands in the bar: it keeps nobody from signing for the rest.
  const unsent = known.entries.filter(
    each => each.round === line.round && each.person === known.me?.person.id && each.state === 'waiting',
  ).length;
  const wanted = line.unsigned.includes('patroller');
  if (!ended || line.round === null) return null;
  if (unsent > 0) return <p className="told">{say('sign_waits', { n: unsent })}</p>;
  if (!wanted) {
    const isSigned = line.state !== 'walking' && line.state !== 'overdue';
    return isSigned ? <p>✓ {say(line.unsigned.length > 0 ? 'signed_alone' : 'signed')}</p> : null;
  }
  const sign = () => {
    setBusy(true);
    setRefusal('');
    patrol
      .sign(line.round ?? 0)
      .catch((error: unknown) => setRefusal(explained(error)))
      .finally(() => setBusy(false));
  };
  return (
    <>
      <p className="faint">
        {say('sign_what', { name: known.me?.person.name ?? '', done: line.visited, all: line.stops })}
      </p>
      <button type="button" className="main" disabled={busy} onClick={sign}>
        {say('sign')}
      </button>
      {refusal !== '' && (
        <p className="wrong" role="alert">
          {refusal}
        </p>
      )}
    </>
  );
}

function Line({ line, go }: { line: RoundLine; go: (view: View) => void }) {
  const { patrol, known } = usePatrol();
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const explained = useExplained();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState('');
  const [note, setNote] = useState<string | null>(null);
  const mine = known.rounds.find(each => each.id === line.round);
  const walking = line.state === 'walking' || line.state === 'overdue';
  const ended = isEnded(line.round, known);

  async function enter(how: () => Promise<{ id: number }>) {
    setBusy(true);
    setRefusal('');
    try {
      go({ at: 'round', round: (await how()).id });
    } catch (error) {
      setRefusal(explained(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <li className={`card line-${line.state}`}>
      <h2>{of(line.name)}</h2>
      <p>
        <span className="chip">{ended ? say('finished') : of(line.state_name)}</span>{' '}
        {say('points', { done: line.visited, all: line.stops })}
      </p>
      <p className="faint">
        {span(line.window_from, line.window_until)}
        {line.grid !== null && ` · ${line.grid}`}
      </p>
      {walking && mine !== undefined && (
        <button type="button" className="main" onClick={() => go({ at: 'round', round: mine.id })}>
          {say('go_on')}
        </button>
      )}
      {walking && mine === undefined && line.guard !== null && (
        <>
          <p>{say('walked_by', { name: line.guard })}</p>
          {note === null ? (
            <button type="button" onClick={() => setNote('')}>
              {say('take_over')}
            </button>
          ) : (
            <form
              onSubmit={event => {
                event.preventDefault();
                void enter(() => patrol.takeOver(line.round ?? 0, note.trim()));
              }}
            >
              <label>
                {say('take_over_note')}
                <input value={note} required maxLength={200} onChange={event => setNote(event.target.value)} />
              </label>
              <button type="submit" disabled={busy}>
                {say('take_over')}
              </button>
            </form>
          )}
        </>
      )}
      {line.guard === known.me?.person.name && <Signing line={line} />}
      {(line.state === 'due' || line.state === 'due_soon') && (
        <button type="button" className="main" disabled={busy} onClick={() => void enter(() => patrol.start(line))}>
          {say('start')}
        </button>
      )}
      {refusal !== '' && (
        <p className="wrong" role="alert">
          {refusal}
        </p>
      )}
    </li>
  );
}
