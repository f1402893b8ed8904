import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Form, Input } from 'antd';
import { useCallback, useState } from 'react';
import { api, given } from '../../api/client';
import { Refused } from '../../deeds/Refused';
import { useBeside } from '../../deeds/useBeside';
import { useDeed } from '../../deeds/useDeed';
import type { Where } from '../../estate/facility';
import { useTexts } from '../../words/words';
import { TEXTS } from './texts';

type Typed = { serviced_on?: string; note: string };

/** What hangs here came back from the workshop; or what is on record was not so. */
export function ServiceForm({ where: { site, facility } }: { where: Where }) {
  const say = useTexts(TEXTS);
  const queries = useQueryClient();
  const { message } = App.useApp();
  const [open, setOpen] = useState(false);
  const [form] = Form.useForm<Typed>();
  const send = useCallback(
    ({ serviced_on, note }: Typed, key: string) => {
      const body = { site, facilities: [facility], serviced_on: serviced_on || null, note: note.trim() };
      return given(api.POST('/api/v1/equipment-services', { params: { header: { 'idempotency-key': key } }, body }));
    },
    [site, facility],
  );
  const done = useCallback(() => {
    setOpen(false);
    void message.success(say('service_done'));
    void queries.invalidateQueries({ queryKey: ['facility', site, facility] });
  }, [queries, message, say, site, facility]);
  const { act, busy, refusal } = useDeed(send, done);
  useBeside(form, refusal?.faults);
  if (!open)
    return (
      <p>
        <Button onClick={() => setOpen(true)}>{say('service_record')}</Button>
      </p>
    );
  return (
    <Form<Typed>
      form={form}
      layout="vertical"
      requiredMark={false}
      className="service-form"
      onFinish={typed => void act(typed)}
    >
      <Form.Item name="serviced_on" label={say('service_on')} extra={say('service_strike')}>
        <Input type="date" />
      </Form.Item>
      <Form.Item
        name="note"
        label={say('service_by')}
        rules={[{ required: true, whitespace: true, message: say('needed') }]}
      >
        <Input maxLength={200} />
      </Form.Item>
      <Refused refusal={refusal} />
      <p>
        <Button type="primary" htmlType="submit" loading={busy}>
          {say('service_put')}
        </Button>{' '}
        <Button onClick={() => setOpen(false)}>{say('cancel')}</Button>
      </p>
    </Form>
  );
}
