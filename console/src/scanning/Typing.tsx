import { type FormEvent, useState } from 'react';
import { useTexts } from '../words/words';
import { typed } from './codes';
import type { OnRead } from './Finder';
import { TEXTS } from './texts';

/** The code as it is printed below the square, where no camera reads it. */
export function Typing({ onRead, onClose }: { onRead: OnRead; onClose: () => void }) {
  const say = useTexts(TEXTS);
  const [text, setText] = useState('');
  const [fault, setFault] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const found = typed(text);
    if ('code' in found) void onRead(found.code, 'typed').then(onClose);
    else setFault(say(`misread_${found.misread}`));
  };
  return (
    <form className="scan-sheet scan-typing" onSubmit={submit}>
      <label>
        {say('typed_label')}
        <input
          value={text}
          autoCapitalize="characters"
          autoComplete="off"
          spellCheck={false}
          maxLength={20}
          // biome-ignore lint/a11y/noAutofocus: the form was asked for to type into
          autoFocus
          onChange={event => setText(event.target.value)}
        />
      </label>
      {fault !== '' && (
        <p className="scan-wrong" role="alert">
          {fault}
        </p>
      )}
      <button type="submit" className="scan-main">
        {say('typed_ok')}
      </button>
      <button type="button" onClick={onClose}>
        {say('back')}
      </button>
    </form>
  );
}
