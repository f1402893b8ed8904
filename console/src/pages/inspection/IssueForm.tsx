import { Button, Form, Input, Select } from 'antd';
import { api, given } from '../../api/client';
import { Refused } from '../../deeds/Refused';
import { useDeed } from '../../deeds/useDeed';
import { useSession } from '../../session/session';
import { useTexts, useWords } from '../../words/words';
import type { ReportOut } from './reports';
import { TEXTS } from './texts';

type Typed = { site: string; month: string; grid?: string; reason?: string };

function send(typed: Typed, key: string): Promise<ReportOut> {
  return given(
    api.POST('/api/v1/inspection-reports', {
      params: { header: { 'idempotency-key': key } },
      body: {
        site: typed.site,
        month: typed.month,
        grid: typed.grid?.trim() || null,
        reason: typed.reason?.trim() || null,
      },
    }),
  );
}

/** The month before this one, as a month field writes it. */
function lastMonth(): string {
  const now = new Date();
  const first = new Date(now.getFullYear(), now.getMonth() - 1, 1);
  return `${first.getFullYear()}-${String(first.getMonth() + 1).padStart(2, '0')}`;
}

export function IssueForm({ onIssued }: { onIssued: (answer: ReportOut) => void }) {
  const say = useTexts(TEXTS);
  const { of } = useWords();
  const { me } = useSession();
  const { act, busy, refusal } = useDeed(send, onIssued);
  const sites = me?.sites.filter(each => each.rights.includes('report')) ?? [];
  const said = (field: string) => {
    const fault = refusal?.faults.get(field);
    return fault === undefined ? {} : { validateStatus: 'error' as const, help: fault };
  };
  const needed = { required: true, whitespace: true, message: say('needed') };
  return (
    <Form<Typed>
      layout="vertical"
      initialValues={{ site: sites[0]?.site, month: lastMonth() }}
      onFinish={typed => void act(typed)}
    >
      <Form.Item name="site" label={say('site')} rules={[needed]} {...said('site')}>
        <Select options={sites.map(each => ({ value: each.site, label: of(each.name) }))} />
      </Form.Item>
      <Form.Item name="month" label={say('month')} rules={[needed]} {...said('month')}>
        <Input type="month" max={lastMonth()} />
      </Form.Item>
      <Form.Item name="grid" label={say('grid')} {...said('grid')}>
        <Input maxLength={100} />
      </Form.Item>
      <Form.Item name="reason" label={say('reason')} {...said('reason')}>
        <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} maxLength={4_000} />
      </Form.Item>
      <Refused refusal={refusal} />
      <Button type="primary" htmlType="submit" loading={busy}>
        {say('issue')}
      </Button>
    </Form>
  );
}
