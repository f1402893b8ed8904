import { useEffect, useState } from 'react';
import type { ItemOut } from '../api/schema';
import { useTexts, useWords } from '../words/words';
import type { Answer } from './answers';
import { usePatrol } from './PatrolContext';
import { TEXTS } from './texts';

type Props = {
  item: ItemOut;
  depth: number;
  answer: Answer | undefined;
  failed: boolean;
  lacks: boolean;
  photoDue: boolean;
  photo: string | null;
  onAnswer: (answer: Answer | undefined) => void;
  onPhoto: () => void;
};

export function Item({ item, depth, answer, failed, lacks, photoDue, photo, onAnswer, onPhoto }: Props) {
  const { of } = useWords();
  const say = useTexts(TEXTS);
  return (
    <li
      id={`item-${item.key}`}
      className={`item ${failed ? 'item-failed' : ''} ${lacks ? 'item-lacks' : ''} ${depth > 0 ? 'item-follows' : ''}`}
    >
      <p id={`ask-${item.key}`} className="ask">
        {of(item.ask)} {item.optional && <span className="faint">{say('optional')}</span>}
      </p>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out as a row everywhere */}
      <div className="answers" role="group" aria-labelledby={`ask-${item.key}`}>
        <Field item={item} answer={answer} onAnswer={onAnswer} />
      </div>
      {(photoDue || failed || photo !== null) && item.photo !== 'never' && (
        <div className="photo">
          {photoDue && photo === null && <strong className="wrong">{say('photo_due')}</strong>}
          {photo !== null && <Thumbnail sha256={photo} />}
          <button type="button" onClick={onPhoto}>
            {say(photo === null ? 'photo_add' : 'photo_drop')}
          </button>
        </div>
      )}
    </li>
  );
}

type FieldProps = Pick<Props, 'item' | 'answer' | 'onAnswer'>;

function Field({ item, answer, onAnswer }: FieldProps) {
  const { of } = useWords();
  const say = useTexts(TEXTS);
  switch (item.answer) {
    case 'check':
      return (
        <>
          <button type="button" className="good" aria-pressed={answer === true} onClick={() => onAnswer(true)}>
            ✓ {say('yes')}
          </button>
          <button type="button" className="bad" aria-pressed={answer === false} onClick={() => onAnswer(false)}>
            ✕ {say('no')}
          </button>
        </>
      );
    case 'choice':
      return item.choices.map(each => (
        <button
          key={each.key}
          type="button"
          className={each.fails ? 'bad' : 'good'}
          aria-pressed={answer === each.key}
          onClick={() => onAnswer(each.key)}
        >
          {of(each.title)}
        </button>
      ));
    case 'reading':
      return <ReadingField item={item} answer={answer} onAnswer={onAnswer} />;
    case 'text':
      return (
        <textarea
          aria-labelledby={`ask-${item.key}`}
          value={typeof answer === 'string' ? answer : ''}
          maxLength={1000}
          onChange={event => onAnswer(event.target.value === '' ? undefined : event.target.value)}
        />
      );
  }
}

function ReadingField({ item, answer, onAnswer }: FieldProps) {
  const say = useTexts(TEXTS);
  const [text, setText] = useState(typeof answer === 'number' ? String(answer) : '');
  const { low, high, unit } = item;
  const limits =
    low !== null && high !== null
      ? say('limits', { low, high, unit })
      : low !== null
        ? say('limit_low', { low, unit })
        : high !== null
          ? say('limit_high', { high, unit })
          : unit;
  const number = typeof answer === 'number' ? answer : null;
  const out = number !== null && ((low !== null && number < low) || (high !== null && number > high));
  return (
    <>
      <input
        aria-labelledby={`ask-${item.key}`}
        inputMode="decimal"
        value={text}
        onChange={event => {
          setText(event.target.value);
          const plain = event.target.value.trim().replace(',', '.').replace('，', '.');
          const figure = Number(plain);
          onAnswer(plain === '' || !Number.isFinite(figure) ? undefined : figure);
        }}
      />
      <span className={out ? 'wrong' : 'faint'}>
        {limits} {out && say('out_of_limits')}
      </span>
    </>
  );
}

function Thumbnail({ sha256 }: { sha256: string }) {
  const { known } = usePatrol();
  const say = useTexts(TEXTS);
  const picture = known.photos.find(each => each.sha256 === sha256)?.picture ?? null;
  const [address, setAddress] = useState<string | null>(null);
  useEffect(() => {
    if (picture === null) return;
    const made = URL.createObjectURL(picture);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [picture]);
  // One that has arrived is no longer on the phone.
  return address === null || picture === null ? (
    <span className="thumbnail thumbnail-sent">✓ {say('state_sent')}</span>
  ) : (
    <img className="thumbnail" src={address} alt={say('photo_shown')} />
  );
}
