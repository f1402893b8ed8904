import { Button, Checkbox, Form, Input, Select } from 'antd';
import { useCallback } from 'react';
import { api, given } from '../../api/client';
import type { NewToken } from '../../api/schema';
import { Refused } from '../../deeds/Refused';
import { useDeed } from '../../deeds/useDeed';
import type { Right } from '../../session/me';
import { useSession } from '../../session/session';
import { fromLocal, toLocal } from '../../time/local';
import { useNow_ms } from '../../time/now';
import { useServiceWords } from '../../words/vocabulary';
import { useWords } from '../../words/words';

type Typed = { name: string; sites: string[]; rights: Right[]; expires: string };
const YEAR_MS = 365 * 86_400_000;

/** What one gives away is what one holds oneself. */
export function TokenForm({ onMade }: { onMade: (secret: string) => void }) {
  const { t, of } = useWords();
  const { name } = useServiceWords();
  const { me, can } = useSession();
  const now_ms = useNow_ms();
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
  const said = (field: string) => {
    const fault = refusal?.faults.get(field);
    return fault === undefined ? {} : { validateStatus: 'error' as const, help: fault };
  };
  const needed = t('people.needed');
  return (
    <Form<Typed>
      layout="vertical"
      requiredMark={false}
      initialValues={{ sites: [], rights: ['read'], expires: toLocal(now_ms + YEAR_MS) }}
      onFinish={typed => void act(typed)}
    >
      <Form.Item
        name="name"
        label={t('tokens.name')}
        rules={[{ required: true, whitespace: true, message: needed }]}
        {...said('name')}
      >
        <Input maxLength={100} autoComplete="off" />
      </Form.Item>
      <Form.Item
        name="sites"
        label={t('tokens.sites')}
        rules={[{ required: true, message: needed }]}
        {...said('sites')}
      >
        <Select mode="multiple" options={sites.map(each => ({ value: each.site, label: of(each.name) }))} />
      </Form.Item>
      <Form.Item
        name="rights"
        label={t('tokens.rights')}
        rules={[{ required: true, message: needed }]}
        {...said('rights')}
      >
        <Rights options={rights.map(value => ({ value, label: name('right', value) }))} />
      </Form.Item>
      <Form.Item
        name="expires"
        label={t('tokens.expires')}
        rules={[
          {
            validator: (_, value: string) =>
              Date.parse(fromLocal(value ?? '') ?? '') > now_ms
                ? Promise.resolve()
                : Promise.reject(new Error(t('tokens.expires_wrong'))),
          },
        ]}
        {...said('expires_at')}
      >
        <Input type="datetime-local" />
      </Form.Item>
      <Refused refusal={refusal} />
      <Button type="primary" htmlType="submit" block loading={busy}>
        {t('tokens.make')}
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
