import { Alert, Button, Form, Input, Modal } from 'antd';
import { useState } from 'react';
import { Failed, useExplained } from '../../api/problem';
import { LanguageSwitch } from '../../app/LanguageSwitch';
import { useSession } from '../../session/session';
import { useWords } from '../../words/words';

export function SignIn() {
  const { t } = useWords();
  const { standing } = useSession();
  return (
    <main className="sign-in">
      <div className="sign-in-language">
        <LanguageSwitch />
      </div>
      <div className="sign-in-card">
        <img src="/mark.svg" alt="" width="48" height="48" />
        <h1>{t('app.name')}</h1>
        <p>{t('app.subtitle')}</p>
        {standing === 'unreachable' && <Alert type="warning" showIcon title={t('problem.lost')} role="alert" />}
        <SignInForm />
      </div>
    </main>
  );
}

/** Over the page as it stands: the session ended, and nothing that was typed is lost. */
export function SignInAgain() {
  const { t } = useWords();
  const { me } = useSession();
  return (
    <Modal open title={t('session.sign_in')} footer={null} closable={false} mask={{ closable: false }} keyboard={false}>
      <p>{t('session.expired')}</p>
      <SignInForm {...(me ? { login: me.person.login } : {})} />
    </Modal>
  );
}

type Typed = { login: string; password: string };

function SignInForm({ login }: { login?: string }) {
  const { t } = useWords();
  const { signIn } = useSession();
  const explained = useExplained();
  const [refusal, setRefusal] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function submit(typed: Typed) {
    setBusy(true);
    setRefusal(null);
    try {
      await signIn(typed.login.trim(), typed.password);
    } catch (error) {
      if (error instanceof Failed && error.status === 401) setRefusal(t('session.wrong'));
      else if (error instanceof Failed && error.status === 429)
        setRefusal(t('session.limited', { seconds: error.retryAfter_s ?? 60 }));
      else setRefusal(explained(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <Form<Typed> layout="vertical" requiredMark={false} initialValues={{ login: login ?? '' }} onFinish={submit}>
      <Form.Item
        name="login"
        label={t('session.login')}
        rules={[{ required: true, message: t('session.login_missing') }]}
      >
        <Input autoComplete="username" autoFocus={login === undefined} maxLength={100} />
      </Form.Item>
      <Form.Item
        name="password"
        label={t('session.password')}
        rules={[{ required: true, message: t('session.password_missing') }]}
      >
        <Input.Password autoComplete="current-password" autoFocus={login !== undefined} maxLength={200} />
      </Form.Item>
      {refusal !== null && <Alert type="error" showIcon title={refusal} role="alert" className="refusal" />}
      <Button type="primary" htmlType="submit" block loading={busy}>
        {t('session.sign_in')}
      </Button>
    </Form>
  );
}
