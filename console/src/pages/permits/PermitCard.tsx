import { ClockCircleOutlined, WarningFilled } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { Button, Form, Input } from 'antd';
import { useCallback, useState } from 'react';
import { api, given } from '../../api/client';
import { Refused } from '../../deeds/Refused';
import { useDeed } from '../../deeds/useDeed';
import { useSession } from '../../session/session';
import { fromLocal, toLocal } from '../../time/local';
import { useNow_ms } from '../../time/now';
import { duration, moment } from '../../time/spoken';
import { useServiceWords } from '../../words/vocabulary';
import { useWords } from '../../words/words';
import { PERMITS, type Permit } from './permits';

/** One permit: who, where, what for, until when, and what is silent for it. */
export function PermitCard({ permit }: { permit: Permit }) {
  const { t, of, language } = useWords();
  const { name } = useServiceWords();
  const { me, can } = useSession();
  const now_ms = useNow_ms();
  const site = me?.sites.find(each => each.site === permit.site)?.name;
  const isOver = permit.state === 'handed_back' || permit.state === 'settled';
  return (
    <li className={`permit permit-${permit.state}`}>
      <div className="permit-top">
        <strong>{permit.work === null ? name('permit_kind', permit.kind) : of(permit.work.title)}</strong>
        <span className="permit-state">{name('permit_state', permit.state)}</span>
        <span className="faint">#{permit.id}</span>
      </div>
      <div>
        {of(permit.facility_name)}
        {permit.part_name && ` · ${of(permit.part_name)}`}
        {site && <span className="faint"> · {of(site)}</span>}
      </div>
      <Until permit={permit} now_ms={now_ms} />
      <dl className="facts">
        <dt>{t('permits.holder')}</dt>
        <dd>{permit.holder}</dd>
        <dt>{t('permits.reason')}</dt>
        <dd>{permit.reason}</dd>
        {permit.answers.map(each => (
          <Answer key={each.key} title={of(each.title)} text={each.text} />
        ))}
        <dt>{t('permits.time')}</dt>
        <dd>
          {moment(language, permit.valid_from, now_ms)} – {moment(language, permit.valid_until, now_ms)}
        </dd>
        <dt>{t('permits.issued_by')}</dt>
        <dd>
          {permit.issued_by} · {moment(language, permit.issued_at, now_ms)}
          {permit.extends !== null && ` · ${t('permits.extends', { n: permit.extends })}`}
        </dd>
        {permit.ended_at !== null && (
          <Answer
            title={t('permits.ended')}
            text={`${moment(language, permit.ended_at, now_ms)} · ${name('actor', permit.ended_by ?? '')}`}
          />
        )}
        {permit.settled_at !== null && (
          <Answer
            title={t('permits.settled')}
            text={`${moment(language, permit.settled_at, now_ms)} · ${permit.settled_by}`}
          />
        )}
        <dt>{t(permit.state === 'standing' ? 'permits.silent_now' : 'permits.silences')}</dt>
        <dd>
          {permit.rules.length === 0
            ? t('permits.silences_nothing')
            : permit.rules.map(each => of(each.title)).join(' · ')}
        </dd>
      </dl>
      {!isOver && can('permit', permit.site) && <Deeds permit={permit} />}
    </li>
  );
}

function Answer({ title, text }: { title: string; text: string }) {
  return (
    <>
      <dt>{title}</dt>
      <dd>{text}</dd>
    </>
  );
}

function Until({ permit, now_ms }: { permit: Permit; now_ms: number }) {
  const { t, language } = useWords();
  const end_ms = Date.parse(permit.valid_until);
  if (permit.state === 'overrun')
    return (
      <p className="permit-until permit-until-over">
        <WarningFilled aria-hidden /> {t('permits.over', { time: duration(language, now_ms - end_ms) })}
      </p>
    );
  if (permit.state === 'standing')
    return (
      <p className="permit-until">
        <ClockCircleOutlined aria-hidden /> {t('permits.left', { time: duration(language, end_ms - now_ms) })}
      </p>
    );
  if (permit.state === 'ahead')
    return (
      <p className="permit-until">
        {t('permits.begins', { time: duration(language, Date.parse(permit.valid_from) - now_ms) })}
      </p>
    );
  return null;
}

type Content = { readonly note: string; readonly until: string | null };

function Deeds({ permit }: { permit: Permit }) {
  const { t } = useWords();
  const queries = useQueryClient();
  const [chosen, setChosen] = useState<'hand_back' | 'extend' | null>(null);
  const now_ms = useNow_ms();
  const send = useCallback(
    ({ note, until }: Content, key: string): Promise<Permit> => {
      const params = { path: { permit: permit.id }, header: { 'idempotency-key': key } };
      if (until !== null)
        return given(api.POST('/api/v1/permits/{permit}/extend', { params, body: { reason: note, until } }));
      return given(
        api.POST('/api/v1/permits/{permit}/hand-back', { params, body: { note: note === '' ? null : note } }),
      );
    },
    [permit.id],
  );
  const done = useCallback(() => {
    setChosen(null);
    void queries.invalidateQueries({ queryKey: PERMITS });
  }, [queries]);
  const { act, busy, refusal, forget } = useDeed(send, done);
  if (chosen === null)
    return (
      <div className="permit-deeds">
        <Button type={permit.state === 'overrun' ? 'primary' : 'default'} onClick={() => setChosen('hand_back')}>
          {t(permit.state === 'overrun' ? 'permits.settle' : 'permits.hand_back')}
        </Button>
        <Button onClick={() => setChosen('extend')}>{t('permits.extend')}</Button>
      </div>
    );
  const extending = chosen === 'extend';
  const said = (field: string) => {
    const fault = refusal?.faults.get(field);
    return fault === undefined ? {} : { validateStatus: 'error' as const, help: fault };
  };
  return (
    <Form<{ note: string; until: string }>
      layout="vertical"
      initialValues={{ note: '', until: toLocal(Math.max(now_ms, Date.parse(permit.valid_until)) + 3_600_000) }}
      onFinish={typed =>
        void act({ note: (typed.note ?? '').trim(), until: extending ? (fromLocal(typed.until) ?? '') : null })
      }
    >
      {extending && (
        <Form.Item
          name="until"
          label={t('permits.until')}
          rules={[
            {
              validator: (_, value: string) =>
                Date.parse(fromLocal(value ?? '') ?? '') > now_ms
                  ? Promise.resolve()
                  : Promise.reject(new Error(t('permits.until_wrong'))),
            },
          ]}
          {...said('until')}
        >
          <Input type="datetime-local" />
        </Form.Item>
      )}
      <Form.Item
        name="note"
        label={t(extending ? 'permits.reason' : 'permits.note')}
        rules={extending ? [{ required: true, whitespace: true, message: t('permits.reason_missing') }] : []}
        {...said(extending ? 'reason' : 'note')}
      >
        <Input.TextArea autoFocus autoSize={{ minRows: 2, maxRows: 6 }} maxLength={4_000} />
      </Form.Item>
      <Refused refusal={refusal} />
      <div className="permit-deeds">
        <Button type="primary" htmlType="submit" loading={busy}>
          {t(extending ? 'permits.extend' : permit.state === 'overrun' ? 'permits.settle' : 'permits.hand_back')}
        </Button>
        <Button
          onClick={() => {
            forget();
            setChosen(null);
          }}
        >
          {t('permits.leave')}
        </Button>
      </div>
    </Form>
  );
}
