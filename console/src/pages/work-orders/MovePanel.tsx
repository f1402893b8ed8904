import { useQuery, useQueryClient } from '@tanstack/react-query';
import { AutoComplete, Button, Form, Input } from 'antd';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { api, given } from '../../api/client';
import { Refused } from '../../deeds/Refused';
import { type Refusal, useDeed } from '../../deeds/useDeed';
import { useDraft } from '../../deeds/useDraft';
import { useSession } from '../../session/session';
import { useNow_ms } from '../../time/now';
import { moment } from '../../time/spoken';
import { useServiceWords } from '../../words/vocabulary';
import { useWords } from '../../words/words';
import { lastDeed } from './clocks';
import { MOVES, nextStep, offered } from './moves';
import { type Detail, type Move, type OpenOrders, type Order, orderKey } from './orders';

const NOTE_CHARS_MAX = 4_000;
const NAME_CHARS_MAX = 100;

type Content = { readonly move: Move; readonly note: string | null; readonly assignee: string | null };

function send(id: number) {
  return ({ move, note, assignee }: Content, key: string): Promise<Detail> => {
    const params = { path: { order: id }, header: { 'idempotency-key': key } };
    if (move === 'dispatch')
      return given(
        api.POST('/api/v1/work-orders/{order}/dispatch', { params, body: { assignee: assignee ?? '', note } }),
      );
    // The other moves differ in their name only; where a note is compulsory the form has seen to it.
    const path = `/api/v1/work-orders/{order}/${move}` as '/api/v1/work-orders/{order}/accept';
    return given(api.POST(path, { params, body: { note } }));
  };
}

/** Everything this person may do to the order now: the next step large, the rest beside it, each form in its place. */
export function MovePanel({ detail }: { detail: Detail }) {
  const { t } = useWords();
  const { name } = useServiceWords();
  const { can } = useSession();
  const queries = useQueryClient();
  const order = detail.work_order;
  const [chosen, setChosen] = useState<Move | null>(null);
  const done = useCallback(
    (answer: Detail) => {
      queries.setQueryData(orderKey(order.id), answer);
      setChosen(null);
    },
    [queries, order.id],
  );
  const { act, busy, refusal, forget } = useDeed(
    useMemo(() => send(order.id), [order.id]),
    done,
  );
  const take = (move: Move) => {
    forget();
    if (MOVES[move].asks === 'none') void act({ move, note: null, assignee: null });
    else setChosen(move);
  };
  const moves = offered(order, can);
  const step = nextStep(order);
  const open = chosen !== null && moves.includes(chosen) ? chosen : null;
  return (
    <section className="panel moves" aria-label={t('orders.moves')}>
      {refusal?.taken === true && <Forestalled detail={detail} refusal={refusal} />}
      {refusal?.taken === false && open === null && <Refused refusal={refusal} />}
      {open === null ? (
        <div className="move-buttons">
          {moves.map(move => (
            <Button
              key={move}
              type={move === step ? 'primary' : 'default'}
              danger={MOVES[move].ends === true}
              className={move === step ? 'move move-next' : 'move'}
              disabled={busy}
              loading={busy && move === step}
              onClick={() => take(move)}
            >
              {name('work_order_move', move)}
            </Button>
          ))}
          {moves.length === 0 && (
            <p className="faint">{t(order.ended_at === null ? 'orders.not_yours' : 'orders.final')}</p>
          )}
        </div>
      ) : (
        <MoveForm
          key={open}
          order={order}
          move={open}
          busy={busy}
          refusal={refusal}
          onDo={act}
          onLeave={() => {
            forget();
            setChosen(null);
          }}
        />
      )}
    </section>
  );
}

/** Somebody was first: who, when, with what, and what is possible now. The order is loaded anew for it. */
function Forestalled({ detail, refusal }: { detail: Detail; refusal: Refusal }) {
  const { t, language } = useWords();
  const { name } = useServiceWords();
  const queries = useQueryClient();
  const now_ms = useNow_ms();
  const order = detail.work_order;
  useEffect(() => void queries.invalidateQueries({ queryKey: orderKey(order.id) }), [queries, order.id]);
  const first = lastDeed(detail.journal);
  return (
    <Refused refusal={refusal}>
      {first !== null && (
        <>
          <p>
            {t('orders.forestalled', {
              who: first.actor,
              at: moment(language, first.at, now_ms),
              move: name('work_order_move', first.move),
              state: name('work_order_state', order.state),
            })}
          </p>
          <p>
            {t('orders.possible_now', {
              moves: order.legal_moves.map(each => name('work_order_move', each)).join(' · ') || '—',
            })}
          </p>
        </>
      )}
    </Refused>
  );
}

type Typed = { note: string; assignee: string };

function MoveForm(props: {
  order: Order;
  move: Move;
  busy: boolean;
  refusal: Refusal | null;
  onDo: (content: Content) => Promise<boolean>;
  onLeave: () => void;
}) {
  const { t } = useWords();
  const { name } = useServiceWords();
  const { order, move, busy, refusal } = props;
  const { asks, ends } = MOVES[move];
  const [draft, setDraft] = useDraft(`order.${order.id}.${move}`);
  const names = useKnownNames(order.facility.site);
  const said = (field: string) => {
    const fault = refusal?.faults.get(field);
    return fault === undefined ? {} : { validateStatus: 'error' as const, help: fault };
  };
  return (
    <Form<Typed>
      layout="vertical"
      className="move-form"
      initialValues={{ note: draft, assignee: order.assignee ?? '' }}
      onFinish={typed => {
        const note = typed.note.trim();
        void props
          .onDo({ move, note: note === '' ? null : note, assignee: asks === 'assignee' ? typed.assignee.trim() : null })
          .then(isDone => isDone && setDraft(''));
      }}
      onValuesChange={(_, typed) => setDraft(typed.note ?? '')}
    >
      <h2 className="form-title">{name('work_order_move', move)}</h2>
      {asks === 'assignee' && (
        <Form.Item
          name="assignee"
          label={t('orders.assignee')}
          rules={[{ required: true, whitespace: true, message: t('orders.assignee_missing') }]}
          {...said('assignee')}
        >
          <AutoComplete
            autoFocus
            options={names.map(value => ({ value }))}
            showSearch={{ filterOption: (typed, option) => (option?.value ?? '').includes(typed) }}
            maxLength={NAME_CHARS_MAX}
          />
        </Form.Item>
      )}
      <Form.Item
        name="note"
        label={t(asks === 'why' ? (move === 'plan' ? 'orders.plan' : 'orders.why') : 'orders.remark')}
        rules={asks === 'why' ? [{ required: true, whitespace: true, message: t('orders.why_missing') }] : []}
        {...said('note')}
      >
        <Input.TextArea
          autoFocus={asks !== 'assignee'}
          autoSize={{ minRows: 2, maxRows: 8 }}
          maxLength={NOTE_CHARS_MAX}
          showCount
        />
      </Form.Item>
      <Refused refusal={refusal?.taken === false ? refusal : null} />
      <div className="move-buttons">
        <Button type="primary" htmlType="submit" className="move move-next" danger={ends === true} loading={busy}>
          {t(ends === true ? 'orders.do_final' : 'orders.do', { move: name('work_order_move', move) })}
        </Button>
        <Button className="move" onClick={props.onLeave}>
          {t('orders.leave')}
        </Button>
      </div>
    </Form>
  );
}

/** Whoever belongs to the site and those its orders have been given to: a name is chosen, not typed. */
function useKnownNames(site: string): readonly string[] {
  const queries = useQueryClient();
  const there = useQuery({
    queryKey: ['site-people', site],
    queryFn: async ({ signal }) =>
      (await given(api.GET('/api/v1/sites/{site}/people', { params: { path: { site } }, signal }))).items,
  });
  const lists = queries.getQueriesData<OpenOrders>({ queryKey: ['work-orders', 'open'] });
  const orders = lists.flatMap(([, list]) => list?.orders ?? []).filter(each => each.facility.site === site);
  const names = [...(there.data?.map(each => each.name) ?? []), ...orders.flatMap(each => each.assignee ?? [])];
  return [...new Set(names)].sort();
}
