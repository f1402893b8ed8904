import { useQueryClient } from '@tanstack/react-query';
import { Button, Form, Input, Radio } from 'antd';
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

const RATINGS = [5, 4, 3, 2, 1] as const;
/** From here down it is said what was wrong. */
const LOW = 2;

type Typed = { spoken_with: string; rating: number; words?: string };

export function CallBack({ detail }: { detail: Detail }) {
  const say = useTexts(TEXTS);
  const { language } = useWords();
  const { can } = useSession();
  const now_ms = useNow_ms();
  const order = detail.work_order;
  const newest = detail.call_backs.at(-1);
  return (
    <section className="panel call-back" aria-label={say('call_back')}>
      <h3>{say('call_back')}</h3>
      {newest === undefined && (
        <p className="faint">{say(isResolved(order) ? 'no_call_back' : 'call_once_resolved')}</p>
      )}
      <ul className="lines">
        {detail.call_backs.map(each => (
          <li key={each.id}>
            <strong>
              {say('of_five', { n: each.rating })} · {say(`rating_${each.rating}` as keyof typeof TEXTS)}
            </strong>
            <span className="faint">
              {say('called', {
                by: each.called_by,
                who: each.spoken_with,
                at: moment(language, each.called_at, now_ms),
              })}
            </span>
            {each.words !== null && <p className="entry-note">{each.words}</p>}
          </li>
        ))}
      </ul>
      {newest !== undefined && newest.rating <= LOW && order.state === 'resolved' && (
        <p className="notice">{say('low_rating')}</p>
      )}
      {can('verify', order.facility.site) && isResolved(order) && <CallForm order={order.id} />}
    </section>
  );
}

function CallForm({ order }: { order: number }) {
  const say = useTexts(TEXTS);
  const queries = useQueryClient();
  const [form] = Form.useForm<Typed>();
  const rating = Form.useWatch('rating', form);
  const send = useCallback(
    (typed: Typed, key: string) =>
      given(
        api.POST('/api/v1/work-orders/{order}/call-backs', {
          params: { path: { order }, header: { 'idempotency-key': key } },
          body: { ...typed, words: typed.words?.trim() ? typed.words.trim() : null },
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
  useBeside(form, refusal?.faults);
  const needed = { required: true, whitespace: true, message: say('needed') };
  const isLow = rating !== undefined && rating <= LOW;
  return (
    <Form<Typed> form={form} layout="vertical" className="call-form" onFinish={typed => void act(typed)}>
      <Form.Item name="spoken_with" label={say('spoken_with')} rules={[needed]}>
        <Input maxLength={100} />
      </Form.Item>
      <Form.Item name="rating" label={say('rating')} rules={[{ required: true, message: say('needed') }]}>
        <Radio.Group
          className="ratings"
          options={RATINGS.map(value => ({ value, label: `${value} ${say(`rating_${value}`)}` }))}
        />
      </Form.Item>
      <Form.Item name="words" label={say(isLow ? 'words_why' : 'words')} rules={isLow ? [needed] : []}>
        <Input.TextArea autoSize={{ minRows: 2, maxRows: 8 }} maxLength={4_000} />
      </Form.Item>
      <Refused refusal={refusal} />
      <Button htmlType="submit" loading={busy} className="papers-do">
        {say('save_call')}
      </Button>
    </Form>
  );
}
