import { useQueryClient } from '@tanstack/react-query';
import { Button, Form, Input } from 'antd';
import { useCallback } from 'react';
import { api, given } from '../../api/client';
import { Refused } from '../../deeds/Refused';
import { useDeed } from '../../deeds/useDeed';
import { useSession } from '../../session/session';
import { useTexts } from '../../words/words';
import { type Detail, orderKey } from './orders';
import { isInHand } from './papers';
import { TEXTS } from './texts';

type Typed = { name: string; model?: string; quantity: string; unit: string };

/** Above nothing, at most three decimals. */
const QUANTITY = /^(?=.*[1-9])\d{1,7}(\.\d{1,3})?$/;

export function Parts({ detail }: { detail: Detail }) {
  const say = useTexts(TEXTS);
  const { can } = useSession();
  const order = detail.work_order;
  const mayWrite = can('work', order.facility.site) && isInHand(order);
  return (
    <section className="panel parts" aria-label={say('parts')}>
      <h3>{say('parts')}</h3>
      {detail.parts.length === 0 && <p className="faint">{say('no_parts')}</p>}
      <ul className="lines">
        {detail.parts.map(each => (
          <li key={each.id} className={each.struck_at === null ? undefined : 'part-struck'}>
            <strong>{each.name}</strong>
            {each.model !== null && <span>{each.model}</span>}
            <span>
              {each.quantity} {each.unit}
            </span>
            <span className="faint">
              {each.struck_by === null ? each.added_by : say('struck', { who: each.struck_by })}
            </span>
            {mayWrite && each.struck_at === null && <Strike order={order.id} part={each} />}
          </li>
        ))}
      </ul>
      {mayWrite && <PartForm order={order.id} />}
    </section>
  );
}

function Strike({ order, part }: { order: number; part: Detail['parts'][number] }) {
  const say = useTexts(TEXTS);
  const queries = useQueryClient();
  const send = useCallback(
    (id: number, key: string) =>
      given(
        api.POST('/api/v1/work-orders/{order}/parts/{part}/strike', {
          params: { path: { order, part: id }, header: { 'idempotency-key': key } },
        }),
      ),
    [order],
  );
  const done = useCallback((answer: Detail) => queries.setQueryData(orderKey(order), answer), [queries, order]);
  const { act, busy, refusal } = useDeed(send, done);
  return (
    <>
      <Button
        type="text"
        className="part-strike"
        loading={busy}
        aria-label={say('strike_part', { name: part.name })}
        onClick={() => void act(part.id)}
      >
        {say('strike')}
      </Button>
      <Refused refusal={refusal} />
    </>
  );
}

function PartForm({ order }: { order: number }) {
  const say = useTexts(TEXTS);
  const queries = useQueryClient();
  const [form] = Form.useForm<Typed>();
  const send = useCallback(
    (typed: Typed, key: string) =>
      given(
        api.POST('/api/v1/work-orders/{order}/parts', {
          params: { path: { order }, header: { 'idempotency-key': key } },
          body: { ...typed, quantity: Number(typed.quantity), model: typed.model?.trim() ? typed.model.trim() : null },
        }),
      ),
    [order],
  );
  const done = useCallback(
    (answer: Detail) => {
      queries.setQueryData(orderKey(order), answer);
      form.resetFields();
    },
    [queries, order, form],
  );
  const { act, busy, refusal } = useDeed(send, done);
  const needed = [{ required: true, whitespace: true, message: say('needed') }];
  const said = (field: string) => {
    const fault = refusal?.faults.get(field);
    return fault === undefined ? {} : { validateStatus: 'error' as const, help: fault };
  };
  return (
    <Form<Typed>
      form={form}
      layout="vertical"
      className="part-form"
      initialValues={{ quantity: '1', unit: say('piece') }}
      onFinish={typed => void act(typed)}
    >
      <Form.Item name="name" label={say('part_name')} rules={needed} className="part-name" {...said('name')}>
        <Input maxLength={100} />
      </Form.Item>
      <Form.Item name="model" label={say('part_model')} className="part-model" {...said('model')}>
        <Input maxLength={100} />
      </Form.Item>
      <Form.Item
        name="quantity"
        label={say('quantity')}
        rules={[{ required: true, pattern: QUANTITY, message: say('needed') }]}
        {...said('quantity')}
      >
        <Input inputMode="decimal" maxLength={11} />
      </Form.Item>
      <Form.Item name="unit" label={say('unit')} rules={needed} {...said('unit')}>
        <Input maxLength={20} />
      </Form.Item>
      <Button htmlType="submit" loading={busy} className="papers-do">
        {say('add_part')}
      </Button>
      <Refused refusal={refusal} />
    </Form>
  );
}
