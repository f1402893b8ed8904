import { Alert, Button, Checkbox, Form, Input, Modal, Radio } from 'antd';
import { useRef, useState } from 'react';
import { faults, useExplained } from '../../api/problem';
import { useBeside } from '../../deeds/useBeside';
import { useLiveStream } from '../../live/live';
import { duration } from '../../time/spoken';
import type { Word } from '../../words/catalogue';
import { useWords } from '../../words/words';
import { Attempt, type Deed, type DeedKind, type Outcome } from './deeds';
import type { AlarmRow } from './rows';

export type Asking = { readonly kind: Exclude<DeedKind, 'reset'>; readonly rows: readonly AlarmRow[] };

const PRESETS_MIN = [15, 30, 60, 120, 240, 480, 720, 1_440];
const NOTE_CHARS_MAX = 4_000;
const NAME_CHARS_MAX = 100;

/** How long all of them may be shelved, and whether one of them wants a reason. */
export function shelvingOf(rows: readonly AlarmRow[]): {
  readonly minutes_max: number;
  readonly note_required: boolean;
} {
  const limits = rows.flatMap(row => (row.shelving === null ? [] : [row.shelving]));
  return {
    minutes_max: limits.length === 0 ? 0 : Math.floor(Math.min(...limits.map(each => each.seconds_max)) / 60),
    note_required: limits.some(each => each.note_required),
  };
}

/** What is said most often; one touch in place of a keyboard at three in the morning. */
const SAID_OFTEN = ['sent', 'called', 'false', 'test'] as const;

export function presets(minutes_max: number): readonly number[] {
  const within = PRESETS_MIN.filter(each => each <= minutes_max);
  return within.length > 0 || minutes_max < 1 ? within : [minutes_max];
}

const NOTE_WORD: Readonly<Record<Asking['kind'], Word>> = {
  acknowledge: 'acknowledge.note',
  comment: 'comment.text',
  shelve: 'deed.note',
  out_of_service: 'deed.note',
  assign: 'deed.note',
};

/** Where the form calls a field otherwise than the service. */
const PLACES = { until: 'minutes', one_shot: 'oneShot', text: 'note' };

type Typed = { minutes?: number; oneShot?: boolean; note?: string; assignee?: string };

function deedOf(kind: Asking['kind'], typed: Typed): Deed {
  const note = typed.note?.trim() ?? '';
  switch (kind) {
    case 'shelve':
      return { kind, minutes: typed.minutes ?? 0, oneShot: typed.oneShot ?? false, note };
    case 'assign':
      return { kind, assignee: (typed.assignee ?? '').trim(), ...(note === '' ? {} : { note }) };
    default:
      return { kind, note };
  }
}

function isNoteRequired({ kind, rows }: Asking): boolean {
  if (kind === 'shelve') return shelvingOf(rows).note_required;
  return kind === 'acknowledge' ? rows.some(row => row.acknowledge_note_required) : kind !== 'assign';
}

/** What has to be said before it is done. It stays open, with what was typed, until something was done. */
export default function DeedDialog({
  asking,
  onEnd,
  onClose,
}: {
  asking: Asking;
  onEnd: (deed: Deed, rows: readonly AlarmRow[], outcomes: readonly Outcome[]) => void;
  onClose: () => void;
}) {
  const { t, of, language } = useWords();
  const explained = useExplained();
  const stream = useLiveStream();
  const [form] = Form.useForm<Typed>();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const [wrong, setWrong] = useState<ReadonlyMap<string, string>>();
  useBeside(form, wrong, PLACES);
  const attempt = useRef<{ said: string; attempt: Attempt } | null>(null);
  const { kind, rows } = asking;
  const [first] = rows;
  const limit = shelvingOf(rows);
  const times = presets(limit.minutes_max);
  const noteRequired = isNoteRequired(asking);

  function tell(error: unknown) {
    setRefusal(explained(error));
    setWrong(faults(error, language));
  }

  async function submit(typed: Typed) {
    const deed = deedOf(kind, typed);
    const said = JSON.stringify(deed);
    // The same said again is the same attempt: what a lost answer hid is not done twice.
    if (attempt.current?.said !== said) attempt.current = { said, attempt: new Attempt(deed, rows, stream.now_ms()) };
    setBusy(true);
    setRefusal(null);
    const outcomes = await attempt.current.attempt.run();
    setBusy(false);
    const failed = outcomes.find(each => each.kind === 'failed');
    if (failed?.kind === 'failed' && outcomes.every(each => each.kind === 'failed') && rows.length === 1)
      tell(failed.error);
    else onEnd(deed, rows, outcomes);
  }

  return (
    <Modal
      open
      title={t(`deed.${kind}`)}
      okText={t(`deed.${kind}`)}
      cancelText={t('app.cancel')}
      confirmLoading={busy}
      onOk={() => form.submit()}
      onCancel={onClose}
      destroyOnHidden
    >
      <p className="row-faint">
        {rows.length === 1 && first !== undefined
          ? `${of(first.alarm.title)} · ${of(first.alarm.facility.name)}`
          : t('alarms.of_many', { n: rows.length })}
      </p>
      <Form<Typed>
        form={form}
        layout="vertical"
        onFinish={submit}
        initialValues={{ minutes: times.find(each => each >= 30) ?? times[0] }}
      >
        {kind === 'shelve' && (
          <>
            <Form.Item
              name="minutes"
              label={t('shelve.for')}
              extra={t('shelve.at_most', { time: duration(language, limit.minutes_max * 60_000) })}
            >
              <Radio.Group
                optionType="button"
                options={times.map(each => ({ value: each, label: duration(language, each * 60_000) }))}
              />
            </Form.Item>
            <Form.Item name="oneShot" valuePropName="checked">
              <Checkbox>{t('shelve.one_shot')}</Checkbox>
            </Form.Item>
          </>
        )}
        {kind === 'assign' && (
          <Form.Item
            name="assignee"
            label={t('assign.to')}
            rules={[{ required: true, whitespace: true, message: t('assign.missing') }]}
          >
            <Input maxLength={NAME_CHARS_MAX} autoFocus />
          </Form.Item>
        )}
        {kind === 'acknowledge' && (
          <p className="said-often">
            {SAID_OFTEN.map(each => (
              <Button key={each} onClick={() => form.setFieldValue('note', t(`acknowledge.${each}`))}>
                {t(`acknowledge.${each}`)}
              </Button>
            ))}
          </p>
        )}
        <Form.Item
          name="note"
          label={t(NOTE_WORD[kind])}
          required={noteRequired}
          rules={
            noteRequired
              ? [
                  {
                    required: true,
                    whitespace: true,
                    message: t(kind === 'acknowledge' ? 'acknowledge.missing' : 'deed.note_missing'),
                  },
                ]
              : []
          }
        >
          <Input.TextArea rows={3} maxLength={NOTE_CHARS_MAX} autoFocus={kind !== 'assign'} />
        </Form.Item>
        {refusal !== null && <Alert type="error" showIcon title={refusal} role="alert" />}
      </Form>
    </Modal>
  );
}
