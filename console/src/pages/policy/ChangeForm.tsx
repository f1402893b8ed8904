import { useQuery } from '@tanstack/react-query';
import { Button, Form, Input, Modal, Select } from 'antd';
import { useCallback } from 'react';
import { api, given } from '../../api/client';
import type { WorkOrderClock } from '../../api/schema';
import { Refused } from '../../deeds/Refused';
import { useDeed } from '../../deeds/useDeed';
import { useServiceWords } from '../../words/vocabulary';
import { useTexts, useWords } from '../../words/words';
import { TEXTS } from './texts';

export type Change =
  | { readonly what: 'contract'; readonly value: string }
  | {
      readonly what: 'clock';
      readonly event_class: string;
      readonly clock: WorkOrderClock;
      readonly value: string;
      readonly inherited: string | null;
    }
  | {
      readonly what: 'grade';
      readonly kind: string;
      readonly title: string;
      readonly value: string;
      readonly inherited: string;
    };

const GRADES = ['A', 'B', 'C'] as const;
/** As the service reads a clock: `15m`, `4h`, `2d`, `5wd`, `same_day`. */
const CLOCK = /^([1-9]\d{0,4}(m|h|d|wd)|same_day)$/;

type Content = { readonly change: Change; readonly value: string | null; readonly reason: string };

function sender(site: string) {
  return ({ change, value, reason }: Content, key: string): Promise<unknown> => {
    const params = { path: { site }, header: { 'idempotency-key': key } };
    if (change.what === 'contract')
      return given(api.POST('/api/v1/sites/{site}/contract', { params, body: { profile: value ?? '', reason } }));
    if (change.what === 'clock') {
      const { event_class, clock } = change;
      return given(
        api.POST('/api/v1/sites/{site}/contract/clocks', { params, body: { event_class, clock, value, reason } }),
      );
    }
    const grade = GRADES.find(each => each === value) ?? null;
    return given(api.POST('/api/v1/sites/{site}/grades', { params, body: { kind: change.kind, grade, reason } }));
  };
}

type Typed = { value?: string; reason?: string };

/** One decision with its reason: both go on record. */
export function ChangeForm(props: { site: string; change: Change | null; onLeave: () => void; onDone: () => void }) {
  const say = useTexts(TEXTS);
  const { change, site } = props;
  return (
    <Modal
      open={change !== null}
      destroyOnHidden
      footer={null}
      onCancel={props.onLeave}
      title={change === null ? '' : <Title change={change} />}
      aria-label={say('change')}
    >
      {change !== null && <Fields {...props} site={site} change={change} />}
    </Modal>
  );
}

function Title({ change }: { change: Change }) {
  const say = useTexts(TEXTS);
  const { name } = useServiceWords();
  if (change.what === 'contract') return say('contract');
  if (change.what === 'grade') return `${say('grade')}: ${change.title}`;
  return `${name('event_class', change.event_class)} · ${name('work_order_clock', change.clock)}`;
}

function Fields(props: { site: string; change: Change; onLeave: () => void; onDone: () => void }) {
  const say = useTexts(TEXTS);
  const { change, site, onDone } = props;
  const [form] = Form.useForm<Typed>();
  const send = useCallback((content: Content, key: string) => sender(site)(content, key), [site]);
  const { act, busy, refusal } = useDeed(send, onDone);
  const said = (...fields: string[]) => {
    const fault = fields.map(each => refusal?.faults.get(each)).find(each => each !== undefined);
    return fault === undefined ? {} : { validateStatus: 'error' as const, help: fault };
  };
  const decide = (value: string | null) =>
    form.validateFields(value === null ? ['reason'] : ['value', 'reason']).then(
      () => act({ change, value, reason: (form.getFieldValue('reason') as string).trim() }),
      () => undefined, // the faults stand beside their fields
    );
  const inherited = change.what === 'contract' ? null : change.inherited;
  return (
    <Form<Typed>
      form={form}
      layout="vertical"
      requiredMark={false}
      initialValues={{ value: change.value }}
      onFinish={typed => void decide((typed.value ?? '').trim())}
    >
      <Form.Item
        name="value"
        label={say('value')}
        {...(change.what === 'clock' ? { extra: say('clock_hint') } : {})}
        rules={[
          change.what === 'clock'
            ? { required: true, pattern: CLOCK, message: say('clock_wrong') }
            : { required: true, message: say('needed') },
        ]}
        {...said('value', 'grade', 'profile', 'clock')}
      >
        {change.what === 'clock' ? <Input maxLength={20} autoFocus /> : <Choice what={change.what} />}
      </Form.Item>
      <Form.Item
        name="reason"
        label={say('reason')}
        rules={[{ required: true, whitespace: true, message: say('reason_missing') }]}
        {...said('reason')}
      >
        <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} maxLength={4_000} />
      </Form.Item>
      <Refused refusal={refusal} />
      <div className="policy-buttons">
        <Button type="primary" htmlType="submit" loading={busy}>
          {say('decide')}
        </Button>
        {inherited !== null && (
          <Button disabled={busy} onClick={() => void decide(null)}>
            {say('inherit', { value: inherited })}
          </Button>
        )}
      </div>
    </Form>
  );
}

function Choice({
  what,
  ...field
}: {
  what: 'contract' | 'grade';
  value?: string;
  onChange?: (value: string) => void;
}) {
  const { of } = useWords();
  const { name } = useServiceWords();
  const contracts = useQuery({
    queryKey: ['contracts'],
    enabled: what === 'contract',
    queryFn: async ({ signal }) => (await given(api.GET('/api/v1/contracts', { signal }))).items,
  });
  const options =
    what === 'grade'
      ? GRADES.map(value => ({ value: value as string, label: name('grade', value) }))
      : (contracts.data?.map(each => ({ value: each.key, label: of(each.title) })) ?? []);
  return <Select {...field} options={options} loading={contracts.isFetching} />;
}
