import { useQueryClient } from '@tanstack/react-query';
import { Button, Input } from 'antd';
import { type PointerEvent, useCallback, useEffect, useRef, useState } from 'react';
import { blobOf } from '../../deeds/pictures';
import { Refused } from '../../deeds/Refused';
import { useDeed } from '../../deeds/useDeed';
import { useSession } from '../../session/session';
import { useNow_ms } from '../../time/now';
import { moment } from '../../time/spoken';
import { useTexts, useWords } from '../../words/words';
import { type Detail, orderKey } from './orders';
import { isInHand, pictureAt, sendSignature } from './papers';
import { TEXTS } from './texts';

/** Of the picture, whatever the size of the frame on the screen. */
const WIDTH = 900;
const HEIGHT = 300;

export function Signature({ detail }: { detail: Detail }) {
  const say = useTexts(TEXTS);
  const { language } = useWords();
  const { can } = useSession();
  const now_ms = useNow_ms();
  const order = detail.work_order;
  const mayWork = can('work', order.facility.site);
  return (
    <section className="panel signature" aria-label={say('signature')}>
      <h3>{say('signature')}</h3>
      {detail.signatures.length === 0 && <p className="faint">{say('no_signature')}</p>}
      {detail.signatures.map(each => (
        <figure key={each.id} className="signed">
          <img src={pictureAt(order.id, each.sha256)} alt={say('signature_alt', { who: each.signer })} />
          <figcaption>
            {say('signed_by', { who: each.signer, at: moment(language, each.signed_at, now_ms) })}
          </figcaption>
        </figure>
      ))}
      {mayWork && isInHand(order) && <Pad order={order.id} />}
      {mayWork && !isInHand(order) && order.ended_at === null && <p className="faint">{say('sign_once_taken')}</p>}
    </section>
  );
}

type Point = readonly [x: number, y: number];

/** A frame to sign in, by finger, pen or mouse. */
function Pad({ order }: { order: number }) {
  const say = useTexts(TEXTS);
  const queries = useQueryClient();
  const canvas = useRef<HTMLCanvasElement>(null);
  const last = useRef<Point | null>(null);
  const [drawn, setDrawn] = useState(false);
  const [signer, setSigner] = useState('');
  const [missing, setMissing] = useState(false);
  const clear = useCallback(() => {
    const ink = canvas.current?.getContext('2d');
    if (!ink) return;
    ink.fillStyle = '#fff';
    ink.fillRect(0, 0, WIDTH, HEIGHT);
    setDrawn(false);
  }, []);
  useEffect(clear, [clear]);
  const send = useCallback(
    async (said: { signer: string; strokes: string }, key: string) =>
      sendSignature(order, said.signer, await blobOf(canvas.current as HTMLCanvasElement, 'image/png'), key),
    [order],
  );
  const done = useCallback(
    (answer: Detail) => {
      queries.setQueryData(orderKey(order), answer);
      clear();
      setSigner('');
    },
    [queries, order, clear],
  );
  const { act, busy, refusal } = useDeed(send, done);
  const draw = (event: PointerEvent<HTMLCanvasElement>) => {
    const ink = event.currentTarget.getContext('2d');
    if (!ink || last.current === null) return;
    const to = pointOf(event);
    ink.lineWidth = 5;
    ink.lineCap = 'round';
    ink.strokeStyle = '#111';
    ink.beginPath();
    ink.moveTo(...last.current);
    ink.lineTo(...to);
    ink.stroke();
    last.current = to;
    setDrawn(true);
    setMissing(false);
  };
  const submit = () => {
    if (!drawn || signer.trim() === '') setMissing(true);
    // The picture itself tells one attempt from another.
    else void act({ signer: signer.trim(), strokes: canvas.current?.toDataURL('image/png') ?? '' });
  };
  return (
    <form
      className="pad"
      onSubmit={event => {
        event.preventDefault();
        submit();
      }}
    >
      <span className="faint">{say('sign_here')}</span>
      <canvas
        ref={canvas}
        width={WIDTH}
        height={HEIGHT}
        role="img"
        aria-label={say('sign_here')}
        className="pad-frame"
        onPointerDown={event => {
          event.currentTarget.setPointerCapture(event.pointerId);
          last.current = pointOf(event);
          draw(event);
        }}
        onPointerMove={draw}
        onPointerUp={() => {
          last.current = null;
        }}
        onPointerCancel={() => {
          last.current = null;
        }}
      />
      {missing && !drawn && (
        <p role="alert" className="field-fault">
          {say('nothing_drawn')}
        </p>
      )}
      <label htmlFor="signer">{say('signer')}</label>
      <Input id="signer" value={signer} maxLength={100} onChange={event => setSigner(event.target.value)} />
      {missing && signer.trim() === '' && (
        <p role="alert" className="field-fault">
          {say('needed')}
        </p>
      )}
      {refusal?.faults.has('signer') && (
        <p role="alert" className="field-fault">
          {refusal.faults.get('signer')}
        </p>
      )}
      <Refused refusal={refusal} />
      <div className="pad-buttons">
        <Button type="primary" htmlType="submit" loading={busy} className="papers-do">
          {say('sign')}
        </Button>
        <Button className="papers-do" disabled={!drawn || busy} onClick={clear}>
          {say('clear')}
        </Button>
      </div>
    </form>
  );
}

function pointOf(event: PointerEvent<HTMLCanvasElement>): Point {
  const frame = event.currentTarget.getBoundingClientRect();
  return [((event.clientX - frame.left) * WIDTH) / frame.width, ((event.clientY - frame.top) * HEIGHT) / frame.height];
}
