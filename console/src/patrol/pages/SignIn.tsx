import { type FormEvent, useState } from 'react';
import { useExplained } from '../../api/problem';
import { useTexts, useWords } from '../../words/words';
import { Language } from '../Language';
import { usePatrol } from '../PatrolContext';
import { TEXTS } from '../texts';

/** `blocked`: signed in, and nothing can be done before the password is changed. */
export function SignIn({ blocked }: { blocked: boolean }) {
  const { patrol, known } = usePatrol();
  const { t } = useWords();
  const say = useTexts(TEXTS);
  const explained = useExplained();
  const [login, setLogin] = useState(known.me?.person.login ?? '');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState('');
  const waiting = known.entries.filter(each => each.kind === 'visit' && each.state !== 'sent').length;

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setRefusal('');
    try {
      await patrol.signIn(login.trim(), password);
    } catch (error) {
      setRefusal(explained(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <main className="sheet sign-in">
      <header>
        <h1>{say('name')}</h1>
        <Language />
      </header>
      {waiting > 0 && <p className="told">{say('saved_sent', { saved: waiting, sent: 0 })}</p>}
      {blocked && (
        <p role="alert">
          {say('must_change')} <a href="/">{say('console')}</a>
        </p>
      )}
      <form onSubmit={event => void submit(event)}>
        <label>
          {t('session.login')}
          <input value={login} autoComplete="username" required onChange={event => setLogin(event.target.value)} />
        </label>
        <label>
          {t('session.password')}
          <input
            type="password"
            value={password}
            autoComplete="current-password"
            required
            onChange={event => setPassword(event.target.value)}
          />
        </label>
        {refusal !== '' && (
          <p className="wrong" role="alert">
            {refusal}
          </p>
        )}
        <button type="submit" className="main" disabled={busy}>
          {t('session.sign_in')}
        </button>
      </form>
    </main>
  );
}
