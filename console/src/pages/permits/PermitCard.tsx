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
import { useTexts, useWords } from '../../words/words';
import { PERMITS, type Permit } from './permits';
import { TEXTS } from './texts';

/** One permit: who, where, what for, until when, and what is silent for it. */
export function PermitCard({ permit }: { permit: Permit }) {
  const { of, language } = useWords();
  const say = useTexts(TEXTS);
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
        <dt>{say('holder')}</dt>
        <dd>{permit.holder}</dd>
        <dt>{say('reason')}</dt>
        <dd>{permit.reason}</dd>
        {permit.answers.map(each => (
          <Answer key={each.key} title={of(each.title)} text={each.text} />
        ))}
        <dt>{say('time')}</dt>
        <dd>
          {moment(language, permit.valid_from, now_ms)} – {moment(language, permit.valid_until, now_ms)}
        </dd>
        <dt>{say('issued_by')}</dt>
        <dd>
          {permit.issued_by} · {moment(language, permit.issued_at, now_ms)}
          {permit.extends !== null && ` · ${say('extends', { n: permit.extends })}`}
        </dd>
        {permit.ended_at !== null && (
          <Answer
            title={say('ended')}
            text={`${moment(language, permit.ended_at, now_ms)} · ${name('actor', permit.ended_by ?? '')}`}
          />
        )}
        {permit.settled_at !== null && (
          <Answer
            title={say('settled')}
            text={`${moment(language, permit.settled_at, now_ms)} · ${permit.settled_by}`}
          />
        )}
        <dt>{say(permit.state === 'standing' ? 'silent_now' : 'silences')}</dt>
        <dd>
          {permit.rules.length === 0 ? say('silences_nothing') : permit.rules.map(each => of(each.title)).join(' · ')}
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
  const { language } = useWords();
  const say = useTexts(TEXTS);
  const end_ms = Date.parse(permit.valid_until);
  if (permit.state === 'overrun')
    return (
      <p className="permit-until permit-until-over">
        <WarningFilled aria-hidden /> {say('over', { time: duration(language, now_ms - end_ms) })}
      </p>
    );
  if (permit.state === 'standing')
    return (
      <p className="permit-until">
        <ClockCircleOutlined aria-hidden /> {say('left', { time: duration(language, end_ms - now_ms) })}
      </p>
    );
  if (permit.state === 'ahead')
    return (
      <p className="permit-until">
        {say('begins', { time: duration(language, Date.parse(permit.valid_from) - now_ms) })}
      </p>
    );
  return null;
}

type Content = { readonly note: string; readonly until: string | null };

function Deeds({ permit }: { permit: Permit }) {
  const say = useTexts(TEXTS);
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
          {say(permit.state === 'overrun' ? 'settle' : 'hand_back')}
        </Button>
        <Button onClick={() => setChosen('extend')}>{say('extend')}</Button>
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
          label={say('until')}
          rules={[
            {
              validator: (_, value: string) =>
                Date.parse(fromLocal(value ?? '') ?? '') > now_ms
                  ? Promise.resolve()
                  : Promise.reject(new Error(say('until_wrong'))),
            },
          ]}
          {...said('until')}
        >
          <Input type="datetime-local" />
        </Form.Item>
      )}
      <Form.Item
        name="note"
        label={say(extending ? 'reason' : 'note')}
        rules={extending ? [{ required: true, whitespace: true, message: say('reason_missing') }] : []}
        {...said(extending ? 'reason' : 'note')}
      >
        <Input.TextArea autoFocus autoSize={{ minRows: 2, maxRows: 6 }} maxLength={4_000} />
      </Form.Item>
      <Refused refusal={refusal} />
      <div className="permit-deeds">
        <Button type="primary" htmlType="submit" loading={busy}>
          {say(extending ? 'extend' : permit.state === 'overrun' ? 'settle' : 'hand_back')}
        </Button>
        <Button
          onClick={() => {
            forget();
            setChosen(null);
          }}
        >
          {say('leave')}
        </Button>
      </div>
    </Form>
  );
}
