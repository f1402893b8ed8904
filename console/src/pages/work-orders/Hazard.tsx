import { useQueryClient } from '@tanstack/react-query';
import { Button, Form, Input } from 'antd';
import { useCallback } from 'react';
import { api, given } from '../../api/client';
import { Refused } from '../../deeds/Refused';
import { useBeside } from '../../deeds/useBeside';
import { useDeed } from '../../deeds/useDeed';
import { useSession } from '../../session/session';
import { useNow_ms } from '../../time/now';
import { moment } from '../../time/spoken';
import { useTexts, useWords } from '../../words/words';
import { type Detail, orderKey } from './orders';
import { isResolved } from './papers';
import { TEXTS } from './texts';

/** Of what a round found: that it is put right is confirmed by the fire safety manager before the order is closed. */
export function Hazard({ detail }: { detail: Detail }) {
  const say = useTexts(TEXTS);
  const { language, of } = useWords();
  const { can } = useSession();
  const now_ms = useNow_ms();
  const { hazard, work_order: order } = detail;
  if (hazard === null) return null;
  const canConfirm = hazard.wanted && isResolved(order) && can('confirm', order.facility.site);
  return (
    <section className="panel hazard" aria-label={say('hazard')}>
      <h3>{say('hazard')}</h3>
      {hazard.wanted && (
        <p className="notice">{say(isResolved(order) ? 'hazard_waits' : 'hazard_open', { n: hazard.findings })}</p>
      )}
      <ul className="lines">
        {hazard.signatures.map(each => (
          <li key={`${each.sha256}${each.signed_at}`}>
            <strong>
              {of(each.part_name)} {each.signer}
            </strong>
            <span className="faint">
              {moment(language, each.signed_at, now_ms)}
              {!each.holds && ` · ${say('before_reopened')}`}
            </span>
            {each.note !== null && <p className="entry-note">{each.note}</p>}
          </li>
        ))}
      </ul>
      {canConfirm && <ConfirmForm order={order.id} />}
    </section>
  );
}

function ConfirmForm({ order }: { order: number }) {
  const say = useTexts(TEXTS);
  const queries = useQueryClient();
  const send = useCallback(
    (note: string | null, key: string) =>
      given(
        api.POST('/api/v1/work-orders/{order}/confirm', {
          params: { path: { order }, header: { 'idempotency-key': key } },
          body: { note },
        }),
      ),
    [order],
  );
  const done = useCallback((answer: Detail) => void queries.setQueryData(orderKey(order), answer), [queries, order]);
  const { act, busy, refusal } = useDeed(send, done);
  const [form] = Form.useForm<{ note?: string }>();
  useBeside(form, refusal?.faults);
  return (
    <Form<{ note?: string }> form={form} layout="vertical" onFinish={typed => void act(typed.note?.trim() || null)}>
      <Form.Item name="note" label={say('confirm_note')}>
        <Input.TextArea autoSize={{ minRows: 2, maxRows: 8 }} maxLength={4_000} />
      </Form.Item>
      <Refused refusal={refusal} />
      <Button type="primary" htmlType="submit" loading={busy} className="papers-do">
        {say('confirm')}
      </Button>
    </Form>
  );
}
