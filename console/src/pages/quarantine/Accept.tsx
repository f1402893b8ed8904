import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Alert, Button, Checkbox, Drawer, Form, Input, Select } from 'antd';
import { useCallback, useState } from 'react';
import { api, given } from '../../api/client';
import { useExplained } from '../../api/problem';
import type { AcceptedOut, ProposalOut, QuarantinedOut } from '../../api/schema';
import { Waiting } from '../../app/Waiting';
import { Refused } from '../../deeds/Refused';
import { useBeside } from '../../deeds/useBeside';
import { useDeed } from '../../deeds/useDeed';
import { useTexts, useWords } from '../../words/words';
import { TEXTS } from './texts';

const NAME_CHARS_MAX = 100;

/** The form has a field for each language of the name. */
const PLACES = { name: 'name_zh', 'name.zh': 'name_zh', 'name.en': 'name_en' };

type Typed = {
  type?: string;
  name_zh?: string;
  name_en?: string;
  location?: string;
  gateway?: string;
  points?: string[];
};

function send(entry: number, subject: ProposalOut['subject']) {
  return (typed: Typed, key: string): Promise<AcceptedOut> => {
    const params = { path: { entry }, header: { 'idempotency-key': key } };
    const name = { zh: typed.name_zh?.trim() ?? '', en: typed.name_en?.trim() || null };
    const location = typed.location ?? '';
    if (subject === 'points')
      return given(
        api.POST('/api/v1/quarantine/{entry}/points', { params, body: { points: [...(typed.points ?? [])] } }),
      );
    if (subject === 'gateway')
      return given(api.POST('/api/v1/quarantine/{entry}/gateway', { params, body: { name, location } }));
    const body = { type: typed.type ?? '', name, location, gateway: typed.gateway ?? null };
    return given(api.POST('/api/v1/quarantine/{entry}/facility', { params, body }));
  };
}

/** What is unknown becomes part of the estate: what it is, where, how it is called; and what that does not bring back. */
export function Accept({ refused, onClose }: { refused: QuarantinedOut; onClose: () => void }) {
  const say = useTexts(TEXTS);
  const explained = useExplained();
  const asked = useQuery({
    queryKey: ['quarantine', 'proposal', refused.id],
    queryFn: ({ signal }) =>
      given(api.GET('/api/v1/quarantine/{entry}/proposal', { params: { path: { entry: refused.id } }, signal })),
    meta: { standing: true },
  });
  const proposal = asked.data;
  return (
    <Drawer
      open
      onClose={onClose}
      size="large"
      title={proposal === undefined ? say('accept') : say(`accept_${proposal.subject}`, { key: proposal.key })}
    >
      {asked.isPending && <Waiting />}
      {asked.isError && (
        <p className="refused" role="alert">
          {explained(asked.error)}
        </p>
      )}
      {proposal !== undefined && <Proposed proposal={proposal} refused={refused} onClose={onClose} />}
    </Drawer>
  );
}

function Proposed(props: { proposal: ProposalOut; refused: QuarantinedOut; onClose: () => void }) {
  const { proposal, refused, onClose } = props;
  const say = useTexts(TEXTS);
  const { language } = useWords();
  const queries = useQueryClient();
  const [accepted, setAccepted] = useState<AcceptedOut | null>(null);
  const [deed] = useState(() => send(refused.id, proposal.subject));
  const done = useCallback(
    (answer: AcceptedOut) => {
      setAccepted(answer);
      void queries.invalidateQueries({ queryKey: ['estate'] });
      void queries.invalidateQueries({ queryKey: ['quarantine'] });
    },
    [queries],
  );
  const { act, busy, refusal } = useDeed(deed, done);
  const [form] = Form.useForm<Typed>();
  useBeside(form, refusal?.faults, PLACES);
  if (accepted !== null)
    return (
      <div className="accepted" role="status">
        <Alert type="success" showIcon title={say('done')} description={say('known')} />
        <ul className="difference">
          {accepted.difference[language].map(line => (
            <li key={line}>{line}</li>
          ))}
        </ul>
        <p className="notice">{say('not_resurrected', { n: accepted.refused_before })}</p>
        <Button type="primary" onClick={onClose}>
          {say('close')}
        </Button>
      </div>
    );
  if (proposal.known) return <Alert type="success" showIcon title={say('known')} />;
  return (
    <Form<Typed>
      form={form}
      layout="vertical"
      className="accept-form"
      initialValues={initial(proposal)}
      onFinish={typed => void act(typed)}
    >
      <p className="notice">{say('not_resurrected', { n: refused.count })}</p>
      {proposal.subject === 'points' ? <Points proposal={proposal} /> : <What proposal={proposal} />}
      <Refused refusal={refusal} />
      <Button type="primary" htmlType="submit" loading={busy}>
        {say('do_accept')}
      </Button>
    </Form>
  );
}

/** What there is only one of, or what fits wholly, is chosen already. */
function initial(proposal: ProposalOut): Typed {
  const [best] = proposal.types;
  const fits = best !== undefined && best.heard > 0 && best.unheard_of.length === 0;
  const only = proposal.gateways.length === 1 ? proposal.gateways[0]?.key : undefined;
  return {
    ...(fits ? { type: best.key } : {}),
    ...(only === undefined ? {} : { gateway: only }),
    points: proposal.points.flatMap(each => (each.way === null ? [] : [each.key])),
  };
}

const found = (typed: string, option: { label?: unknown } | undefined) =>
  String(option?.label ?? '')
    .toLowerCase()
    .includes(typed.toLowerCase());

function What({ proposal }: { proposal: ProposalOut }) {
  const say = useTexts(TEXTS);
  const { of } = useWords();
  const type = Form.useWatch<string | undefined>('type');
  const chosen = proposal.types.find(each => each.key === type);
  const needed = [{ required: true, message: say('needed') }];
  const options = (places: ProposalOut['locations']) => places.map(each => ({ value: each.key, label: of(each.name) }));
  return (
    <>
      {proposal.subject === 'facility' && (
        <>
          <p>
            {say('heard')}：{proposal.heard.length === 0 ? say('heard_none') : <code>{proposal.heard.join(' ')}</code>}
          </p>
          <Form.Item name="type" label={say('type')} rules={needed} extra={say('type_hint')}>
            <Select
              showSearch={{ filterOption: found }}
              options={proposal.types.map(each => ({
                value: each.key,
                label:
                  each.heard === 0
                    ? of(each.name)
                    : say('type_fits', { name: of(each.name), n: each.heard, all: proposal.heard.length }),
              }))}
            />
          </Form.Item>
          {chosen !== undefined && chosen.unheard_of.length > 0 && (
            <p className="notice">{say('unheard_of', { points: chosen.unheard_of.join(' ') })}</p>
          )}
        </>
      )}
      <Form.Item name="name_zh" label={say('name_zh')} rules={[{ ...needed[0], whitespace: true }]}>
        <Input maxLength={NAME_CHARS_MAX} />
      </Form.Item>
      <Form.Item name="name_en" label={say('name_en')}>
        <Input maxLength={NAME_CHARS_MAX} />
      </Form.Item>
      <Form.Item name="location" label={say('location')} rules={needed}>
        <Select showSearch={{ filterOption: found }} options={options(proposal.locations)} />
      </Form.Item>
      {proposal.subject === 'facility' && (
        <Form.Item name="gateway" label={say('gateway')} rules={needed}>
          <Select showSearch={{ filterOption: found }} options={options(proposal.gateways)} />
        </Form.Item>
      )}
    </>
  );
}

function Points({ proposal }: { proposal: ProposalOut }) {
  const say = useTexts(TEXTS);
  const strange = proposal.points.filter(each => each.way === null);
  return (
    <>
      <Form.Item
        name="points"
        label={say('which_points')}
        rules={[{ required: true, type: 'array', min: 1, message: say('choose_one') }]}
      >
        <Checkbox.Group
          className="point-choice"
          options={proposal.points.flatMap(each =>
            each.way === null ? [] : [{ value: each.key, label: `${each.key} · ${say(`way_${each.way}`)}` }],
          )}
        />
      </Form.Item>
      {strange.length > 0 && (
        <p className="notice">
          <code>{strange.map(each => each.key).join(' ')}</code> {say('way_none')}
        </p>
      )}
    </>
  );
}
