import { Button, Checkbox, Form, Input, Select } from 'antd';
import { useCallback } from 'react';
import { api, given } from '../../api/client';
import type { NewToken } from '../../api/schema';
import { Refused } from '../../deeds/Refused';
import { useBeside } from '../../deeds/useBeside';
import { useDeed } from '../../deeds/useDeed';
import type { Right } from '../../session/me';
import { useSession } from '../../session/session';
import { fromLocal, toLocal } from '../../time/local';
import { useNow_ms } from '../../time/now';
import { useServiceWords } from '../../words/vocabulary';
import { useTexts, useWords } from '../../words/words';
import { TEXTS } from './texts';

type Typed = { name: string; sites: string[]; rights: Right[]; expires: string };
const PLACES = { expires_at: 'expires' };
const YEAR_MS = 365 * 86_400_000;

/** What one gives away is what one holds oneself. */
export function TokenForm({ onMade }: { onMade: (secret: string) => void }) {
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const { name } = useServiceWords();
  const { me, can } = useSession();
  const now_ms = useNow_ms();
  const [form] = Form.useForm<Typed>();
  const sites = me?.sites.filter(each => can('tokens', each.site)) ?? [];
  const rights = [...new Set(sites.flatMap(each => each.rights))];
  const { act, busy, refusal } = useDeed(
    useCallback(
      (typed: Typed) =>
        given(
          api.POST('/api/v1/tokens', {
            body: {
              name: typed.name.trim(),
              sites: typed.sites,
              rights: typed.rights,
              expires_at: fromLocal(typed.expires) ?? '',
            },
          }),
        ),
      [],
    ),
    useCallback((answer: NewToken) => onMade(answer.secret), [onMade]),
  );
  useBeside(form, refusal?.faults, PLACES);
  const needed = say('needed');
  return (
    <Form<Typed>
      form={form}
      layout="vertical"
      requiredMark={false}
      initialValues={{ sites: [], rights: ['read'], expires: toLocal(now_ms + YEAR_MS) }}
      onFinish={typed => void act(typed)}
    >
      <Form.Item name="name" label={say('name')} rules={[{ required: true, whitespace: true, message: needed }]}>
        <Input maxLength={100} autoComplete="off" />
      </Form.Item>
      <Form.Item name="sites" label={say('sites')} rules={[{ required: true, message: needed }]}>
        <Select mode="multiple" options={sites.map(each => ({ value: each.site, label: of(each.name) }))} />
      </Form.Item>
      <Form.Item name="rights" label={say('rights')} rules={[{ required: true, message: needed }]}>
        <Rights options={rights.map(value => ({ value, label: name('right', value) }))} />
      </Form.Item>
      <Form.Item
        name="expires"
        label={say('expires')}
        rules={[
          {
            validator: (_, value: string) =>
              Date.parse(fromLocal(value ?? '') ?? '') > now_ms
                ? Promise.resolve()
                : Promise.reject(new Error(say('expires_wrong'))),
          },
        ]}
      >
        <Input type="datetime-local" />
      </Form.Item>
      <Refused refusal={refusal} />
      <Button type="primary" htmlType="submit" block loading={busy}>
        {say('make')}
      </Button>
    </Form>
  );
}

/** Without what the form would tell of it in attributes that a group of boxes must not have. */
function Rights(props: {
  options: { value: Right; label: string }[];
  value?: Right[];
  onChange?: (chosen: Right[]) => void;
}) {
  const { options, value, onChange } = props;
  return (
    <Checkbox.Group
      className="token-rights"
      options={options}
      {...(value && { value })}
      {...(onChange && { onChange })}
    />
  );
}
