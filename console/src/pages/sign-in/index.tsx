import { useQuery } from '@tanstack/react-query';
import { Alert, Button, Form, Input, Modal } from 'antd';
import { useState } from 'react';
import { api, given } from '../../api/client';
import { Failed, faults, useExplained } from '../../api/problem';
import { LanguageSwitch } from '../../app/LanguageSwitch';
import { useBeside } from '../../deeds/useBeside';
import { leaveForProvider, useSession } from '../../session/session';
import { useTexts, useWords } from '../../words/words';
import { TEXTS } from './texts';

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
        <SentBack />
        <SignInForm />
        <ByProvider />
      </div>
    </main>
  );
}

const WHY_SENT_BACK = ['unavailable', 'expired', 'refused', 'unknown'] as const;

/** Why the way through the provider did not end inside (`/?sign_in=unknown`). */
function SentBack() {
  const { t } = useWords();
  const told = new URLSearchParams(location.search).get('sign_in');
  const why = WHY_SENT_BACK.find(each => each === told);
  if (why === undefined) return null;
  return <Alert type="error" showIcon title={t(`provider.${why}`)} role="alert" className="refusal" />;
}

/** The other way in, where people have an account with a provider; nothing where they have not. */
function ByProvider({ hint }: { hint?: string }) {
  const { t } = useWords();
  const { data } = useQuery({
    queryKey: ['provider'],
    queryFn: () => given(api.GET('/api/v1/session/provider')),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (!data?.name) return null;
  return (
    <>
      <Button block href={data.start} onClick={leaveForProvider} className="sign-in-provider">
        {t('provider.sign_in', { name: data.name })}
      </Button>
      {hint && <p className="sign-in-hint">{hint}</p>}
    </>
  );
}

/** Over the page as it stands: the session ended, and nothing that was typed is lost. */
export function SignInAgain() {
  const { t } = useWords();
  const say = useTexts(TEXTS);
  const { me } = useSession();
  return (
    <Modal open title={t('session.sign_in')} footer={null} closable={false} mask={{ closable: false }} keyboard={false}>
      <p>{t('session.expired')}</p>
      <SignInForm {...(me ? { login: me.person.login } : {})} />
      <ByProvider hint={say('leaves')} />
    </Modal>
  );
}

/** Somebody else made the password one came in with: another is chosen before anything else. */
export function NewPassword() {
  const { t } = useWords();
  return (
    <main className="sign-in">
      <div className="sign-in-language">
        <LanguageSwitch />
      </div>
      <div className="sign-in-card">
        <h1>{t('password.choose')}</h1>
        <p>{t('password.why')}</p>
        <NewPasswordForm />
      </div>
    </main>
  );
}

/** What the service calls the new password. */
const CHOSEN = { new_password: 'chosen' };

type Chosen = { password: string; chosen: string; again: string };

function NewPasswordForm() {
  const { t } = useWords();
  const { choosePassword, signOut } = useSession();
  const { busy, refusal, wrong, attempt } = useAttempt();
  const [form] = Form.useForm<Chosen>();
  useBeside(form, wrong, CHOSEN);
  return (
    <Form<Chosen>
      form={form}
      layout="vertical"
      requiredMark={false}
      onFinish={typed => attempt(() => choosePassword(typed.password, typed.chosen))}
    >
      <Form.Item
        name="password"
        label={t('password.present')}
        rules={[{ required: true, message: t('session.password_missing') }]}
      >
        <Input.Password autoComplete="current-password" autoFocus />
      </Form.Item>
      <Form.Item
        name="chosen"
        label={t('password.new')}
        extra={t('password.rules')}
        rules={[{ required: true, message: t('session.password_missing') }]}
      >
        <Input.Password autoComplete="new-password" />
      </Form.Item>
      <Form.Item
        name="again"
        label={t('password.again')}
        dependencies={['chosen']}
        rules={[
          form => ({
            validator: (_, value) =>
              value === form.getFieldValue('chosen')
                ? Promise.resolve()
                : Promise.reject(new Error(t('password.differs'))),
          }),
        ]}
      >
        <Input.Password autoComplete="new-password" />
      </Form.Item>
      {refusal !== null && <Alert type="error" showIcon title={refusal} role="alert" className="refusal" />}
      <Button type="primary" htmlType="submit" block loading={busy}>
        {t('password.choose')}
      </Button>
      <Button type="link" block onClick={() => void signOut()}>
        {t('session.sign_out')}
      </Button>
    </Form>
  );
}

/** One attempt at a time, and what came of the last one in words. */
function useAttempt() {
  const { t, language } = useWords();
  const explained = useExplained();
  const [wrong, setWrong] = useState<ReadonlyMap<string, string>>();
  const [refusal, setRefusal] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  async function attempt(act: () => Promise<void>) {
    setBusy(true);
    setRefusal(null);
    try {
      await act();
    } catch (error) {
      setWrong(faults(error, language));
      if (error instanceof Failed && error.kind === 'sign_in_failed') setRefusal(t('session.wrong'));
      else if (error instanceof Failed && error.status === 429)
        setRefusal(t('session.limited', { seconds: error.retryAfter_s ?? 60 }));
      else setRefusal(explained(error));
    } finally {
      setBusy(false);
    }
  }
  return { busy, refusal, wrong, attempt };
}

type Typed = { login: string; password: string };

function SignInForm({ login }: { login?: string }) {
  const { t } = useWords();
  const { signIn } = useSession();
  const { busy, refusal, attempt } = useAttempt();
  return (
    <Form<Typed>
      layout="vertical"
      requiredMark={false}
      initialValues={{ login: login ?? '' }}
      onFinish={typed => attempt(() => signIn(typed.login.trim(), typed.password))}
    >
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
