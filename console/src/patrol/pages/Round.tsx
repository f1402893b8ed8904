import { useState } from 'react';
import type { RoundOut } from '../../api/schema';
import { useTexts, useWords } from '../../words/words';
import { dayAndClock } from '../moments';
import { usePatrol } from '../PatrolContext';
import { isDone, nextOf, type Standing, standings } from '../rounds';
import { TEXTS } from '../texts';
import type { View } from '../views';

const MARK = { open: '○', begun: '◐', done: '✓', defective: '✕' } as const;

type Props = {
  round: RoundOut;
  go: (view: View) => void;
  onBack: () => void;
  onEnded: (told: string) => void;
};

export function Round({ round, go, onBack, onEnded }: Props) {
  const { known } = usePatrol();
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const [ending, setEnding] = useState(false);
  const all = standings(round, known);
  const next = nextOf(all);
  const ended = known.entries.some(each => each.kind === 'finish' && each.round === round.id);
  const enter = (standing: Standing) => {
    const { facility } = standing.stop.stop;
    go(
      standing.draft === null ? { at: 'scan', round: round.id, facility } : { at: 'point', round: round.id, facility },
    );
  };
  return (
    <main className="sheet with-deed">
      <header>
        <button type="button" className="small" onClick={onBack}>
          ← {say('back')}
        </button>
        <h1>{of(round.name)}</h1>
      </header>
      <p>
        <strong>{say('points', { done: all.filter(isDone).length, all: all.length })}</strong>
        {ended && ` · ${say('finished')}`}
      </p>
      <ol className="stops">
        {all.map(standing => (
          <li key={standing.stop.stop.facility}>
            <button
              type="button"
              className={`stop stop-${standing.state} ${standing === next ? 'stop-next' : ''}`}
              onClick={() => enter(standing)}
            >
              <Stop standing={standing} isNext={standing === next} />
            </button>
          </li>
        ))}
      </ol>
      {!ending && !ended && (
        <button type="button" onClick={() => setEnding(true)}>
          {say('finish')}
        </button>
      )}
      {ending && <Ending round={round} all={all} onEnded={onEnded} />}
      <div className="deed">
        <button type="button" className="main" onClick={() => go({ at: 'scan', round: round.id, facility: null })}>
          {say('scan')}
        </button>
      </div>
    </main>
  );
}

function Stop({ standing, isNext }: { standing: Standing; isNext: boolean }) {
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const { stop, last } = standing.stop;
  const word = {
    open: isNext ? say('next') : '',
    begun: say('begun'),
    done: say('done'),
    defective: say('defective'),
  };
  const order = standing.entry?.answer?.work_order ?? null;
  return (
    <>
      <span className="stop-mark" aria-hidden="true">
        {MARK[standing.state]}
      </span>
      <span className="stop-words">
        <strong>
          {stop.seq}. {of(stop.name)}
        </strong>
        <span className="faint">
          {of(stop.place)} ·{' '}
          {last === null
            ? say('last_never')
            : say('last', { at: dayAndClock(last.at), outcome: say(`outcome_${last.outcome}`) })}
        </span>
        {order !== null && (
          <span className="order">{say(order.opened ? 'order_opened' : 'order_joined', { id: order.id })}</span>
        )}
      </span>
      <span className="stop-state">{word[standing.state]}</span>
    </>
  );
}

function Ending({
  round,
  all,
  onEnded,
}: {
  round: RoundOut;
  all: readonly Standing[];
  onEnded: (told: string) => void;
}) {
  const { patrol, known } = usePatrol();
  const say = useTexts(TEXTS);
  const [busy, setBusy] = useState(false);
  const left = all.filter(each => !isDone(each)).length;
  const unsent = known.entries.filter(
    each => each.kind === 'visit' && each.round === round.id && each.state !== 'sent',
  ).length;
  return (
    <section className="ending" aria-label={say('finish')}>
      <p>{left > 0 ? say('finish_left', { n: left }) : say('finish_all')}</p>
      {unsent > 0 && <p>{say('finish_unsent', { n: unsent })}</p>}
      <button
        type="button"
        className="main"
        disabled={busy}
        onClick={() => {
          setBusy(true);
          void patrol
            .finish(round)
            .then(() => onEnded(unsent > 0 ? say('finished_unsent', { n: unsent }) : say('finished')));
        }}
      >
        {say('finish_sure')}
      </button>
    </section>
  );
}
