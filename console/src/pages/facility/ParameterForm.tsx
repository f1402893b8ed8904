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
import { useWords } from '../../words/words';

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
  const { t, of } = useWords();
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
    void message.success(t('parameter.done'));
    onGone();
  }, [setValue, setReason, queries, site, facility, message, t, onGone]);
  const { act, busy, refusal } = useDeed(send, done);
  const wrong = faultOf(value, parameter);
  const valueFault =
    refusal?.faults.get('value') ??
    (wrong && t(wrong, { min: bound(parameter.min), max: bound(parameter.max), unit: parameter.unit }));
  const reasonFault = refusal?.faults.get('reason') ?? (reason.trim() === '' ? t('parameter.reason_missing') : null);
  return (
    <Modal
      open
      title={`${t('rules.change')}: ${of(parameter.title)}`}
      onCancel={onGone}
      okText={t('parameter.set')}
      cancelText={t('parameter.cancel')}
      confirmLoading={busy}
      okButtonProps={{ disabled: wrong !== null || reason.trim() === '' }}
      onOk={() => void act({ name: parameter.name, value: Number(value.trim()), reason: reason.trim() })}
    >
      <Form layout="vertical" requiredMark={false}>
        <Form.Item
          label={`${t('parameter.value')} (${parameter.unit || '1'})`}
          htmlFor="parameter-value"
          help={value === '' && !refusal ? range(t, parameter) : valueFault}
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
          label={t('parameter.reason')}
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
          {t('rules.source')}: {parameter.source}
        </p>
        <Refused refusal={refusal} />
      </Form>
    </Modal>
  );
}

const bound = (value: number | null) => (value === null ? '–' : figure(value));

function range(t: ReturnType<typeof useWords>['t'], { min, max, unit }: ParameterOut): string {
  return t('parameter.range', { min: bound(min), max: bound(max), unit });
}

function faultOf(typed: string, { min, max }: ParameterOut): 'parameter.no_number' | 'parameter.range' | null {
  const value = Number(typed.trim());
  if (typed.trim() === '' || !Number.isFinite(value)) return 'parameter.no_number';
  return (min !== null && value < min) || (max !== null && value > max) ? 'parameter.range' : null;
}
