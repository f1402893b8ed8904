import { useQueryClient } from '@tanstack/react-query';
import { Button, Input } from 'antd';
import { useCallback } from 'react';
import { api, given } from '../../api/client';
import { Refused } from '../../deeds/Refused';
import { useDeed } from '../../deeds/useDeed';
import { useDraft } from '../../deeds/useDraft';
import { useWords } from '../../words/words';
import { type Detail, orderKey } from './orders';

const NOTE_CHARS_MAX = 4_000;

export function NoteForm({ order }: { order: number }) {
  const { t } = useWords();
  const queries = useQueryClient();
  const [text, setText] = useDraft(`order.${order}.notes`);
  const send = useCallback(
    (said: string, key: string) =>
      given(
        api.POST('/api/v1/work-orders/{order}/notes', {
          params: { path: { order }, header: { 'idempotency-key': key } },
          body: { text: said },
        }),
      ),
    [order],
  );
  const done = useCallback(
    (answer: Detail) => {
      queries.setQueryData(orderKey(order), answer);
      setText('');
    },
    [queries, order, setText],
  );
  const { act, busy, refusal } = useDeed(send, done);
  return (
    <form
      className="panel note-form"
      onSubmit={event => {
        event.preventDefault();
        if (text.trim() !== '') void act(text.trim());
      }}
    >
      <label htmlFor="order-note">{t('orders.note')}</label>
      <Input.TextArea
        id="order-note"
        value={text}
        onChange={event => setText(event.target.value)}
        autoSize={{ minRows: 2, maxRows: 8 }}
        maxLength={NOTE_CHARS_MAX}
        {...(refusal?.faults.has('text') ? { status: 'error' as const } : {})}
      />
      {refusal?.faults.has('text') && (
        <p role="alert" className="field-fault">
          {refusal.faults.get('text')}
        </p>
      )}
      <Refused refusal={refusal} />
      <Button htmlType="submit" loading={busy} disabled={text.trim() === ''}>
        {t('orders.write_note')}
      </Button>
    </form>
  );
}
