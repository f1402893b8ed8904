import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Button, Form, Input, Select } from 'antd';
import { useCallback, useState } from 'react';
import { api, given } from '../../api/client';
import type { WorkKindOut } from '../../api/schema';
import { Refused } from '../../deeds/Refused';
import { useDeed } from '../../deeds/useDeed';
import { useSession } from '../../session/session';
import { fromLocal, toLocal } from '../../time/local';
import { useNow_ms } from '../../time/now';
import { duration } from '../../time/spoken';
import { useTexts, useWords } from '../../words/words';
import { PERMITS, type Permit } from './permits';
import { TEXTS } from './texts';
import { useFacilities } from './useFacilities';

type Typed = {
  site: string;
  facility: string;
  part?: string;
  work: string;
  holder: string;
  reason: string;
  from?: string;
  until?: string;
  answers?: Record<string, string>;
};

/** Place, kind of work - and before anything is issued, what will be silent and until when. */
export function IssueForm({ site, onIssued }: { site: string | null; onIssued: () => void }) {
  const { of, language } = useWords();
  const say = useTexts(TEXTS);
  const { me, can } = useSession();
  const queries = useQueryClient();
  const [form] = Form.useForm<Typed>();
  const now_ms = useNow_ms();
  const [words, setWords] = useState('');
  const sites = me?.sites.filter(each => can('permit', each.site)) ?? [];
  const typed = Form.useWatch([], form) as Partial<Typed> | undefined;
  const facilities = useFacilities(typed?.site, words);
  const kind = facilities.data?.find(each => each.key === typed?.facility)?.kind;
  const parts = useParts(typed?.site, typed?.facility);
  const works = useWorks(kind);
  const work = works.data?.find(each => each.key === typed?.work);
  const send = useCallback((body: Parameters<typeof issue>[0], key: string): Promise<Permit> => issue(body, key), []);
  const done = useCallback(() => {
    void queries.invalidateQueries({ queryKey: PERMITS });
    form.resetFields();
    onIssued();
  }, [queries, form, onIssued]);
  const { act, busy, refusal } = useDeed(send, done);
  const said = (field: string) => {
    const fault = refusal?.faults.get(field);
    return fault === undefined ? {} : { validateStatus: 'error' as const, help: fault };
  };
  const required = [{ required: true, whitespace: true, message: say('needed') }];
  const first = sites.find(each => each.site === site) ?? sites[0];
  return (
    <Form<Typed>
      form={form}
      layout="vertical"
      requiredMark={false}
      initialValues={{ site: first?.site }}
      onFinish={({ from, until, answers, part, ...rest }) =>
        void act({
          ...rest,
          part: part ?? null,
          from: from ? fromLocal(from) : null,
          until: until ? fromLocal(until) : null,
          answers: Object.fromEntries((work?.asks ?? []).map(each => [each.key, answers?.[each.key]?.trim() ?? ''])),
        })
      }
    >
      <Form.Item name="site" label={say('site')} rules={required} {...said('site')}>
        <Select
          options={sites.map(each => ({ value: each.site, label: of(each.name) }))}
          onChange={() => form.resetFields(['facility', 'part', 'work'])}
        />
      </Form.Item>
      <Form.Item name="facility" label={say('facility')} rules={required} {...said('facility')}>
        <Select
          showSearch={{ filterOption: false, onSearch: setWords }}
          loading={facilities.isFetching}
          placeholder={say('facility_search')}
          options={
            facilities.data?.map(each => ({
              value: each.key,
              label: `${of(each.name)} · ${of(each.location_name)} · ${each.grade}`,
            })) ?? []
          }
          onChange={() => form.resetFields(['part', 'work'])}
        />
      </Form.Item>
      {(parts.data?.length ?? 0) > 0 && (
        <Form.Item name="part" label={say('part')} {...said('part')}>
          <Select
            allowClear
            placeholder={say('whole')}
            options={parts.data?.map(each => ({ value: each.key, label: of(each.name) })) ?? []}
          />
        </Form.Item>
      )}
      <Form.Item name="work" label={say('work')} rules={required} {...said('work')}>
        <Select
          disabled={kind === undefined}
          loading={works.isFetching}
          options={works.data?.map(each => ({ value: each.key, label: of(each.title) })) ?? []}
        />
      </Form.Item>
      {work !== undefined && kind !== undefined && <WhatItMeans work={work} kind={kind} />}
      {work?.asks.map(each => (
        <Form.Item
          key={each.key}
          name={['answers', each.key]}
          label={of(each.title)}
          rules={required}
          {...said(`answers.${each.key}`)}
        >
          <Input maxLength={4_000} />
        </Form.Item>
      ))}
      <Form.Item name="holder" label={say('holder')} rules={required} {...said('holder')}>
        <Input maxLength={100} />
      </Form.Item>
      <Form.Item name="reason" label={say('reason')} rules={required} {...said('reason')}>
        <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} maxLength={4_000} />
      </Form.Item>
      <Form.Item name="from" label={say('from')} {...said('from')}>
        <Input type="datetime-local" min={toLocal(now_ms - 3_600_000)} />
      </Form.Item>
      <Form.Item
        name="until"
        label={say('until')}
        dependencies={['from', 'work']}
        {...(work === undefined ? {} : { extra: say('lasts', { time: duration(language, work.lasts_s * 1_000) }) })}
        rules={[
          {
            validator: (_, value?: string) => {
              const end = Date.parse(fromLocal(value ?? '') ?? '');
              if (!value) return Promise.resolve();
              const begin = Date.parse(fromLocal(form.getFieldValue('from') ?? '') ?? '') || now_ms;
              if (!(end > now_ms) || end <= begin) return Promise.reject(new Error(say('until_wrong')));
              if (work !== undefined && end - begin > work.lasts_at_most_s * 1_000)
                return Promise.reject(
                  new Error(say('too_long', { time: duration(language, work.lasts_at_most_s * 1_000) })),
                );
              return Promise.resolve();
            },
          },
        ]}
        {...said('until')}
      >
        <Input type="datetime-local" />
      </Form.Item>
      <Refused refusal={refusal} />
      <Button type="primary" htmlType="submit" block size="large" loading={busy}>
        {say('issue')}
      </Button>
    </Form>
  );
}

function WhatItMeans({ work, kind }: { work: WorkKindOut; kind: string }) {
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const rules = work.silences.filter(each => each.kind === kind || each.kind === 'any').flatMap(each => each.rules);
  return (
    <div className="means" role="status">
      <h3>{say('will_be_silent')}</h3>
      {rules.length === 0 ? (
        <p>{say('silences_nothing')}</p>
      ) : (
        <ul>
          {rules.map(each => (
            <li key={each.key}>{of(each.title)}</li>
          ))}
        </ul>
      )}
      <Steps title={say('before')} steps={work.before.map(of)} />
      <Steps title={say('after')} steps={work.after.map(of)} />
      <p className="faint">
        {say('source')} {work.source} {work.clause}
      </p>
    </div>
  );
}

function Steps({ title, steps }: { title: string; steps: readonly string[] }) {
  if (steps.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ol>
        {steps.map(each => (
          <li key={each}>{each}</li>
        ))}
      </ol>
    </>
  );
}

type Asked = {
  site: string;
  facility: string;
  part: string | null;
  work: string;
  holder: string;
  reason: string;
  from: string | null;
  until: string | null;
  answers: Record<string, string>;
};

function issue(body: Asked, key: string): Promise<Permit> {
  return given(api.POST('/api/v1/permits', { params: { header: { 'idempotency-key': key } }, body }));
}

function useParts(site: string | undefined, facility: string | undefined) {
  return useQuery({
    queryKey: ['facility-parts', site, facility],
    enabled: site !== undefined && facility !== undefined,
    queryFn: async ({ signal }) => {
      const path = { site: site ?? '', facility: facility ?? '' };
      return (await given(api.GET('/api/v1/facilities/{site}/{facility}', { params: { path }, signal }))).parts;
    },
  });
}

function useWorks(kind: string | undefined) {
  return useQuery({
    queryKey: ['work-kinds', kind],
    enabled: kind !== undefined,
    queryFn: async ({ signal }) =>
      (await given(api.GET('/api/v1/work-kinds', { params: { query: { kind: kind ?? '' } }, signal }))).items,
  });
}
