import { useEffect, useState } from 'react';
import { useExplained } from '../../api/problem';
import type { GuardOut, RoundOut } from '../../api/schema';
import { useTexts, useWords } from '../../words/words';
import { dayAndClock } from '../moments';
import { usePatrol } from '../PatrolContext';
import { Place } from '../Place';
import { isDone, isEnded, nextOf, type Standing, standings } from '../rounds';
import { TEXTS } from '../texts';
import type { View } from '../views';

const MARK = { open: '○', begun: '◐', done: '✓', defective: '✕' } as const;

type Props = {
  round: RoundOut;
  go: (view: View) => void;
  onBack: () => void;
  onEnded: (told: string) => void;
  onGiven: (told: string) => void;
};

export function Round({ round, go, onBack, onEnded, onGiven }: Props) {
  const { known } = usePatrol();
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const [ending, setEnding] = useState(false);
  const [giving, setGiving] = useState(false);
  const all = standings(round, known);
  const next = nextOf(all);
  const ended = isEnded(round.id, known);
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
            {standing === next && <Place stop={standing.stop} />}
          </li>
        ))}
      </ol>
      {!ending && !ended && (
        <div className="pair">
          <button type="button" aria-expanded={giving} onClick={() => setGiving(before => !before)}>
            {say('hand_over')}
          </button>
          <button type="button" onClick={() => setEnding(true)}>
            {say('finish')}
          </button>
        </div>
      )}
      {giving && !ending && !ended && <Giving round={round} all={all} onGiven={onGiven} />}
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

/** To whom: one touch on a name, after a look at the list of those who may. */
function Giving({
  round,
  all,
  onGiven,
}: {
  round: RoundOut;
  all: readonly Standing[];
  onGiven: (told: string) => void;
}) {
  const { of } = useWords();
  const { patrol } = usePatrol();
  const say = useTexts(TEXTS);
  const explained = useExplained();
  const begun = all.filter(each => each.draft !== null);
  const [guards, setGuards] = useState<readonly GuardOut[] | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState('');
  useEffect(() => {
    if (!navigator.onLine) setRefusal(say('hand_over_offline'));
    else patrol.guards(round.id).then(setGuards, (error: unknown) => setRefusal(explained(error)));
  }, [patrol, round.id, say, explained]);
  const give = (to: string) => {
    setBusy(true);
    setRefusal('');
    patrol.handOver(round.id, to).then(
      () => onGiven(say('handed_over', { name: to })),
      (error: unknown) => {
        setRefusal(explained(error));
        setBusy(false);
      },
    );
  };
  return (
    <section className="ending" aria-label={say('hand_over')}>
      {begun.length > 0 && (
        <p className="wrong" role="alert">
          {say('hand_over_begun', { names: begun.map(each => of(each.stop.stop.name)).join(', ') })}
        </p>
      )}
      <p>{say(guards?.length === 0 ? 'hand_over_nobody' : 'hand_over_to')}</p>
      <ul className="names">
        {guards?.map(each => (
          <li key={each.name}>
            <button type="button" aria-pressed={chosen === each.name} onClick={() => setChosen(each.name)}>
              {each.name}
              {each.substitute && <span className="chip">{say('substitute')}</span>}
            </button>
          </li>
        ))}
      </ul>
      {chosen !== null && (
        <button type="button" className="main" disabled={busy} onClick={() => give(chosen)}>
          {say('hand_over_sure', { name: chosen })}
        </button>
      )}
      {refusal !== '' && (
        <p className="wrong" role="alert">
          {refusal}
        </p>
      )}
    </section>
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
