import { useQueryClient } from '@tanstack/react-query';
import { App, Form, Input, Modal } from 'antd';
import { useCallback } from 'react';
import { api, given } from '../../api/client';
import type { ParameterOut } from '../../api/schema';
import { Refused } from '../../deeds/Refused';
import { useDeed } from '../../deeds/useDeed';
import { useDraft } from '../../deeds/useDraft';
import type { Where } from '../../estate/facility';
import { figure } from '../../estate/values';
import { useTexts, useWords, type Values } from '../../words/words';
import { TEXTS } from './texts';

type Content = { readonly name: string; readonly value: number; readonly reason: string };

/** Another value for a limit, with a reason. What was typed stays until it is done or thrown away. */
export function ParameterForm({
  where: { site, facility },
  parameter,
  onGone,
}: {
  where: Where;
  parameter: ParameterOut;
  onGone: () => void;
}) {
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const queries = useQueryClient();
  const { message } = App.useApp();
  const key = `parameter.${site}.${facility}.${parameter.name}`;
  const [value, setValue] = useDraft(`${key}.value`);
  const [reason, setReason] = useDraft(`${key}.reason`);
  const send = useCallback(
    (body: Content, deedKey: string) =>
      given(
        api.POST('/api/v1/facilities/{site}/{facility}/parameters', {
          params: { path: { site, facility }, header: { 'idempotency-key': deedKey } },
          body,
        }),
      ),
    [site, facility],
  );
  const done = useCallback(() => {
    setValue('');
    setReason('');
    void queries.invalidateQueries({ queryKey: ['facility', site, facility] });
    void message.success(say('done'));
    onGone();
  }, [setValue, setReason, queries, site, facility, message, say, onGone]);
  const { act, busy, refusal } = useDeed(send, done);
  const wrong = faultOf(value, parameter);
  const valueFault =
    refusal?.faults.get('value') ??
    (wrong && say(wrong, { min: bound(parameter.min), max: bound(parameter.max), unit: parameter.unit }));
  const reasonFault = refusal?.faults.get('reason') ?? (reason.trim() === '' ? say('reason_missing') : null);
  return (
    <Modal
      open
      title={`${say('change')}: ${of(parameter.title)}`}
      onCancel={onGone}
      okText={say('set')}
      cancelText={say('cancel')}
      confirmLoading={busy}
      okButtonProps={{ disabled: wrong !== null || reason.trim() === '' }}
      onOk={() => void act({ name: parameter.name, value: Number(value.trim()), reason: reason.trim() })}
    >
      <Form layout="vertical" requiredMark={false}>
        <Form.Item
          label={`${say('value')} (${parameter.unit || '1'})`}
          htmlFor="parameter-value"
          help={value === '' && !refusal ? range(say, parameter) : valueFault}
          validateStatus={value !== '' && valueFault ? 'error' : ''}
        >
          <Input
            id="parameter-value"
            inputMode="decimal"
            autoFocus
            value={value}
            placeholder={figure(parameter.value)}
            onChange={event => setValue(event.target.value)}
            maxLength={20}
          />
        </Form.Item>
        <Form.Item
          label={say('reason')}
          htmlFor="parameter-reason"
          help={value !== '' ? reasonFault : undefined}
          validateStatus={refusal?.faults.has('reason') ? 'error' : ''}
        >
          <Input.TextArea
            id="parameter-reason"
            rows={3}
            value={reason}
            onChange={event => setReason(event.target.value)}
            maxLength={2_000}
          />
        </Form.Item>
        <p className="parameter-source">
          {say('source')}: {parameter.source}
        </p>
        <Refused refusal={refusal} />
      </Form>
    </Modal>
  );
}

type Say = (word: keyof typeof TEXTS, values?: Values) => string;

const bound = (value: number | null) => (value === null ? '–' : figure(value));

function range(say: Say, { min, max, unit }: ParameterOut): string {
  return say('range', { min: bound(min), max: bound(max), unit });
}

function faultOf(typed: string, { min, max }: ParameterOut): 'no_number' | 'range' | null {
  const value = Number(typed.trim());
  if (typed.trim() === '' || !Number.isFinite(value)) return 'no_number';
  return (min !== null && value < min) || (max !== null && value > max) ? 'range' : null;
}
