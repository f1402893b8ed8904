import { useMemo, useState } from 'react';
import type { ChecklistOut, ItemOut, RoundOut, RoundStop } from '../../api/schema';
import type { Means } from '../../scanning/codes';
import { good } from '../../scanning/signals';
import { useTexts, useWords } from '../../words/words';
import { type Answer, type Answers, allWell, asked, fails, missing, wantsPhoto } from '../answers';
import { Item } from '../Item';
import { type Draft, draftKey } from '../kept/shapes';
import { dayAndClock } from '../moments';
import { usePatrol } from '../PatrolContext';
import { Place } from '../Place';
import { passedOver, standings } from '../rounds';
import { Shot } from '../Shot';
import { TEXTS } from '../texts';

type Props = {
  round: RoundOut;
  facility: string;
  onBack: () => void;
  onSaved: (told: string) => void;
  onScan: () => void;
};

export function Point({ round, facility, onBack, onSaved, onScan }: Props) {
  const { known } = usePatrol();
  const say = useTexts(TEXTS);
  const stop = round.stops.find(each => each.stop.facility === facility);
  const draft = known.drafts.find(
    each => each.key === draftKey(round.id, facility) && each.person === known.me?.person.id,
  );
  const checklist = known.checklists.find(each => each.kind === stop?.checklist);
  if (stop === undefined || draft === undefined) return null; // saved this moment: the round is shown next
  if (checklist === undefined)
    return (
      <main className="sheet">
        <p role="alert">{say('no_checklist')}</p>
        <button type="button" onClick={onBack}>
          {say('back')}
        </button>
      </main>
    );
  return <Form {...{ round, stop, draft, checklist, onBack, onSaved, onScan }} />;
}

type FormProps = Omit<Props, 'facility'> & { stop: RoundStop; draft: Draft; checklist: ChecklistOut };

/** What is still to be done before it is whole. */
function lackOf(checklist: ChecklistOut, stop: RoundStop, draft: Draft) {
  const all = asked(checklist, stop, draft.answers);
  const pictured = new Set(draft.photos.map(each => each.item));
  return {
    all,
    items: missing(all, draft.answers),
    photos: all
      .filter(({ item }) => wantsPhoto(item, stop, draft.answers) && !pictured.has(item.key))
      .map(({ item }) => item.key),
    failed: all.filter(({ item }) => fails(item, draft.answers[item.key])).length,
  };
}

function Form({ round, stop, draft, checklist, onBack, onSaved, onScan }: FormProps) {
  const { patrol, known } = usePatrol();
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const [shooting, setShooting] = useState<ItemOut | null>(null);
  const [pressed, setPressed] = useState(false);
  const [fault, setFault] = useState('');
  const lack = useMemo(() => lackOf(checklist, stop, draft), [checklist, stop, draft]);
  const skipped = passedOver(round, standings(round, known), stop.stop.facility);
  const whole = lack.items.length === 0 && lack.photos.length === 0;

  const keep = (change: Partial<Draft>) => {
    patrol.keepDraft({ ...draft, ...change }).catch(() => setFault(say('no_storage')));
  };
  const answer = (key: string, given: Answer | undefined) => {
    const answers: Answers = Object.fromEntries(
      Object.entries({ ...draft.answers, [key]: given }).filter(([, each]) => each !== undefined),
    ) as Answers;
    keep({ answers });
  };
  const shot = async (item: ItemOut, picture: Blob, means: Means) => {
    const photo = await patrol.keepPhoto(round.site, item.key, picture, means);
    keep({ photos: [...draft.photos.filter(each => each.item !== item.key), photo] });
    setShooting(null);
  };
  const save = () => {
    if (!whole && !pressed) {
      setPressed(true);
      document.getElementById(`item-${lack.items[0] ?? lack.photos[0]}`)?.scrollIntoView({ block: 'center' });
      return;
    }
    const name = of(stop.stop.name);
    patrol.save(round, draft, stop.stop.name, checklist).then(
      () => {
        good();
        onSaved(lack.failed > 0 ? say('saved_failed', { n: lack.failed, name }) : say('saved', { name }));
      },
      () => setFault(say('no_storage')),
    );
  };

  if (shooting !== null)
    return (
      <Shot
        title={of(shooting.ask)}
        onShot={(picture, means) => shot(shooting, picture, means)}
        onBack={() => setShooting(null)}
      />
    );
  return (
    <main className="sheet with-deed">
      <header>
        <button type="button" className="small" onClick={onBack}>
          ← {say('back')}
        </button>
        <h1>{of(stop.stop.name)}</h1>
      </header>
      <p className="faint">
        {of(stop.stop.place)} ·{' '}
        {stop.last === null
          ? say('last_never')
          : say('last', { at: dayAndClock(stop.last.at), outcome: say(`outcome_${stop.last.outcome}`) })}
      </p>
      <Place stop={stop} />
      {draft.means === 'typed' && (
        <p className="told">
          {say('by_link')}{' '}
          <button type="button" className="small" onClick={onScan}>
            {say('scan')}
          </button>
        </p>
      )}
      {skipped > 0 && <p className="told">{say('skips', { n: skipped })}</p>}
      <ul className="items">
        {lack.all.map(({ item, depth }) => (
          <Item
            key={item.key}
            item={item}
            depth={depth}
            answer={draft.answers[item.key]}
            failed={fails(item, draft.answers[item.key])}
            lacks={pressed && (lack.items.includes(item.key) || lack.photos.includes(item.key))}
            photoDue={wantsPhoto(item, stop, draft.answers)}
            photo={draft.photos.find(each => each.item === item.key)?.sha256 ?? null}
            onAnswer={given => answer(item.key, given)}
            onPhoto={() => setShooting(item)}
          />
        ))}
      </ul>
      <label className="note">
        {say('note')}
        <textarea value={draft.note} maxLength={1000} onChange={event => keep({ note: event.target.value })} />
      </label>
      <div className="deed deed-pair">
        {fault !== '' && (
          <p className="wrong" role="alert">
            {fault}
          </p>
        )}
        {pressed && !whole && (
          <p role="status">
            {lack.items.length > 0 && say('left', { n: lack.items.length })}{' '}
            {lack.photos.length > 0 && say('left_photos', { n: lack.photos.length })}
          </p>
        )}
        <button type="button" onClick={() => keep({ answers: allWell(lack.all, draft.answers) })}>
          {say('all_well')}
        </button>
        <button type="button" className="main" onClick={save}>
          {say(pressed && !whole ? 'save_anyway' : 'save')}
        </button>
      </div>
    </main>
  );
}
