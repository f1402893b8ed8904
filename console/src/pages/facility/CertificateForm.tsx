import { Form, Input, Modal, Select } from 'antd';
import { useCallback } from 'react';
import type { CertificateIn, CertificateOut } from '../../api/schema';
import { Refused } from '../../deeds/Refused';
import { useDeed } from '../../deeds/useDeed';
import type { Where } from '../../estate/facility';
import { useServiceWords } from '../../words/vocabulary';
import { useTexts, useWords } from '../../words/words';
import { register } from './certificates';
import { TEXTS } from './texts';

type Typed = {
  kind: CertificateIn['kind'];
  number: string;
  issuer: string;
  issued_on: string;
  valid_until?: string;
  note?: string;
};

/** A new certificate; `replaces`: the one it comes in place of, whose kind and issuer it has. */
export function CertificateForm({
  where,
  replaces,
  onDone,
  onGone,
}: {
  where: Where;
  replaces: CertificateOut | null;
  onDone: () => void;
  onGone: () => void;
}) {
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const { vocabulary } = useServiceWords();
  const [form] = Form.useForm<Typed>();
  const kind = Form.useWatch('kind', form);
  const send = useCallback((body: CertificateIn, key: string) => register(where, body, key), [where]);
  const { act, busy, refusal } = useDeed(send, onDone);
  const said = (field: keyof Typed) => {
    const fault = refusal?.faults.get(field);
    return fault === undefined ? {} : { validateStatus: 'error' as const, help: fault };
  };
  const required = [{ required: true, whitespace: true, message: say('needed') }];
  return (
    <Modal
      open
      title={replaces === null ? say('certificate_new') : say('certificate_replace', { number: replaces.number })}
      onCancel={onGone}
      okText={say('certificate_register')}
      cancelText={say('cancel')}
      confirmLoading={busy}
      onOk={() => form.submit()}
    >
      <Form<Typed>
        form={form}
        layout="vertical"
        requiredMark={false}
        scrollToFirstError
        initialValues={replaces === null ? {} : { kind: replaces.kind, issuer: replaces.issuer }}
        onFinish={({ valid_until, note, ...typed }) =>
          void act({
            ...typed,
            valid_until: valid_until || null,
            note: note?.trim() || null,
            replaces: replaces?.id ?? null,
          })
        }
      >
        <Form.Item name="kind" label={say('certificate_kind')} rules={required} {...said('kind')}>
          <Select
            disabled={replaces !== null}
            showSearch={{ optionFilterProp: 'label' }}
            options={Object.entries(vocabulary?.words.certificate_kind ?? {}).map(([value, name]) => ({
              value,
              label: of(name),
            }))}
          />
        </Form.Item>
        <Form.Item name="number" label={say('certificate_number')} rules={required} {...said('number')}>
          <Input maxLength={100} />
        </Form.Item>
        <Form.Item name="issuer" label={say('certificate_issuer')} rules={required} {...said('issuer')}>
          <Input maxLength={100} />
        </Form.Item>
        <div className="certificate-days">
          <Form.Item name="issued_on" label={say('certificate_issued')} rules={required} {...said('issued_on')}>
            <Input type="date" />
          </Form.Item>
          <Form.Item
            name="valid_until"
            label={say('certificate_until')}
            extra={say('certificate_open')}
            dependencies={['issued_on']}
            rules={[
              ({ getFieldValue }) => ({
                validator: (_, until?: string) =>
                  until && getFieldValue('issued_on') && until < getFieldValue('issued_on')
                    ? Promise.reject(new Error(say('certificate_ends_first')))
                    : Promise.resolve(),
              }),
            ]}
            {...said('valid_until')}
          >
            <Input type="date" />
          </Form.Item>
        </div>
        <Form.Item
          name="note"
          label={say(kind === 'other' ? 'certificate_what' : 'certificate_note')}
          rules={kind === 'other' ? required : []}
          {...said('note')}
        >
          <Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} maxLength={4_000} />
        </Form.Item>
        <Refused refusal={refusal} />
      </Form>
    </Modal>
  );
}
