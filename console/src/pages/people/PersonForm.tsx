import { MinusCircleOutlined, PlusOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button, Form, Input, Select } from 'antd';
import { useCallback } from 'react';
import { api, given } from '../../api/client';
import type { PersonRow, Role } from '../../api/schema';
import { Refused } from '../../deeds/Refused';
import { useBeside } from '../../deeds/useBeside';
import { useDeed } from '../../deeds/useDeed';
import { useSession } from '../../session/session';
import { useTexts, useWords } from '../../words/words';
import { TEXTS } from './texts';

type Typed = {
  login: string;
  name: string;
  language: 'zh' | 'en';
  memberships: { site: string; role: Role }[];
};
type Answer = { readonly person: PersonRow; readonly password: string | null };

/** How a form writes "at all sites": no site's key looks like this. */
const EVERYWHERE = '*';
const LOGIN = /^[a-z0-9][a-z0-9._@-]{0,63}$/;

async function save(person: PersonRow | null, typed: Typed): Promise<Answer> {
  const memberships = typed.memberships.map(each => ({ ...each, site: each.site === EVERYWHERE ? null : each.site }));
  const { login, name, language } = typed;
  if (person === null)
    return given(api.POST('/api/v1/people', { body: { login, name, language, memberships, with_password: true } }));
  const params = { path: { person: person.id } };
  const told = (of: readonly { site: string | null; role: string }[]) =>
    of
      .map(each => `${each.site} ${each.role}`)
      .sort()
      .join();
  if (name !== person.name || language !== person.language)
    await given(api.PATCH('/api/v1/people/{person}', { params, body: { name, language, forget_provider: false } }));
  if (told(memberships) === told(person.memberships)) return { person, password: null };
  const changed = await given(api.PUT('/api/v1/people/{person}/memberships', { params, body: { memberships } }));
  return { person: changed, password: null };
}

export function PersonForm(props: {
  person: PersonRow | null;
  onDone: (person: PersonRow, password: string | null) => void;
}) {
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const { me, can } = useSession();
  const { person, onDone } = props;
  const [form] = Form.useForm<Typed>();
  const roles = useQuery({
    queryKey: ['roles'],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) => given(api.GET('/api/v1/roles', { signal })),
  });
  const { act, busy, refusal } = useDeed(
    useCallback((typed: Typed) => save(person, typed), [person]),
    useCallback((answer: Answer) => onDone(answer.person, answer.password), [onDone]),
  );
  useBeside(form, refusal?.faults);
  const sites = me?.sites.filter(each => can('people', each.site)) ?? [];
  const places = [
    ...((me?.everywhere.length ?? 0) > 0 ? [{ value: EVERYWHERE, label: say('everywhere') }] : []),
    ...sites.map(each => ({ value: each.site, label: of(each.name) })),
  ];
  return (
    <Form<Typed>
      form={form}
      layout="vertical"
      requiredMark={false}
      initialValues={{
        login: person?.login ?? '',
        name: person?.name ?? '',
        language: person?.language ?? 'zh',
        memberships: person?.memberships.map(each => ({ ...each, site: each.site ?? EVERYWHERE })) ?? [{}],
      }}
      onFinish={typed => void act({ ...typed, login: typed.login.trim(), name: typed.name.trim() })}
    >
      <Form.Item
        name="login"
        label={say('login')}
        rules={[{ required: true, pattern: LOGIN, message: say('login_wrong') }]}
      >
        <Input disabled={person !== null} maxLength={64} autoComplete="off" autoCapitalize="none" />
      </Form.Item>
      <Form.Item name="name" label={say('name')} rules={[{ required: true, whitespace: true, message: say('needed') }]}>
        <Input maxLength={100} autoComplete="off" />
      </Form.Item>
      <Form.Item name="language" label={say('language')}>
        <Select
          options={[
            { value: 'zh', label: say('zh') },
            { value: 'en', label: say('en') },
          ]}
        />
      </Form.Item>
      <fieldset className="memberships">
        <legend>{say('memberships')}</legend>
        <Form.List name="memberships">
          {(fields, { add, remove }) => (
            <>
              {fields.map(field => (
                <div key={field.key} className="membership">
                  <Form.Item name={[field.name, 'site']} rules={[{ required: true, message: say('needed') }]}>
                    <Select aria-label={say('site')} placeholder={say('site')} options={places} />
                  </Form.Item>
                  <Form.Item name={[field.name, 'role']} rules={[{ required: true, message: say('needed') }]}>
                    <Select
                      aria-label={say('role')}
                      placeholder={say('role')}
                      options={roles.data?.roles.map(each => ({ value: each.key, label: of(each.title) })) ?? []}
                    />
                  </Form.Item>
                  <Button
                    type="text"
                    aria-label={say('remove')}
                    icon={<MinusCircleOutlined />}
                    onClick={() => remove(field.name)}
                  />
                </div>
              ))}
              <Button icon={<PlusOutlined />} onClick={() => add({})}>
                {say('add_role')}
              </Button>
            </>
          )}
        </Form.List>
      </fieldset>
      <Refused refusal={refusal} />
      <Button type="primary" htmlType="submit" block loading={busy}>
        {say('save')}
      </Button>
    </Form>
  );
}
