import { Form, Input, Modal } from 'antd';
import { useCallback } from 'react';
import type { CertificateOut } from '../../api/schema';
import { Refused } from '../../deeds/Refused';
import { useDeed } from '../../deeds/useDeed';
import { useTexts } from '../../words/words';
import { withdraw } from './certificates';
import { TEXTS } from './texts';

/** Why a certificate counts no more; it stays on record with it. */
export function WithdrawForm({ of, onDone, onGone }: { of: CertificateOut; onDone: () => void; onGone: () => void }) {
  const say = useTexts(TEXTS);
  const [form] = Form.useForm<{ note: string }>();
  const send = useCallback((note: string, key: string) => withdraw(of.id, note, key), [of.id]);
  const { act, busy, refusal } = useDeed(send, onDone);
  const fault = refusal?.faults.get('note');
  return (
    <Modal
      open
      title={say('certificate_withdraw_it', { number: of.number })}
      onCancel={onGone}
      okText={say('certificate_withdraw')}
      cancelText={say('cancel')}
      confirmLoading={busy}
      onOk={() => form.submit()}
    >
      <Form<{ note: string }>
        form={form}
        layout="vertical"
        requiredMark={false}
        onFinish={({ note }) => void act(note.trim())}
      >
        <Form.Item
          name="note"
          label={say('reason')}
          extra={say('certificate_stays')}
          rules={[{ required: true, whitespace: true, message: say('reason_missing') }]}
          {...(fault === undefined ? {} : { validateStatus: 'error' as const, help: fault })}
        >
          <Input.TextArea autoFocus autoSize={{ minRows: 2, maxRows: 6 }} maxLength={4_000} />
        </Form.Item>
        <Refused refusal={refusal} />
      </Form>
    </Modal>
  );
}
