import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import { api, given } from '../../api/client';
import { useDeed } from '../../deeds/useDeed';
import { type Means, read } from '../../scanning/codes';
import { Finder } from '../../scanning/Finder';
import { bad, good } from '../../scanning/signals';
import { Typing } from '../../scanning/Typing';
import { useTexts, useWords } from '../../words/words';
import { type Detail, orderKey, type Scanned } from './orders';
import { TEXTS } from './texts';

type Scan = { readonly tag: string; readonly means: Means };
type Props = { detail: Detail; what: Scanned; onClose: () => void };

/** The tag at the order's facility, read by the camera, from a picture or typed: the service says whether it is that one. */
export default function ScanHere({ detail, what, onClose }: Props) {
  const say = useTexts(TEXTS);
  const { of } = useWords();
  const queries = useQueryClient();
  const order = detail.work_order;
  const [typing, setTyping] = useState(false);
  const [foreign, setForeign] = useState(false);
  const send = useCallback(
    (body: Scan, key: string): Promise<Detail> => {
      const params = { path: { order: order.id }, header: { 'idempotency-key': key } };
      return what === 'arrival'
        ? given(api.POST('/api/v1/work-orders/{order}/arrival-scan', { params, body }))
        : given(api.POST('/api/v1/work-orders/{order}/witness-scan', { params, body }));
    },
    [order.id, what],
  );
  const done = useCallback(
    (answer: Detail) => {
      good();
      queries.setQueryData(orderKey(order.id), answer);
      onClose();
    },
    [queries, order.id, onClose],
  );
  const { act, busy, refusal, forget } = useDeed(send, done);
  const onRead = async (text: string, means: Means) => {
    // What is no tag at all is told without asking; every advertisement has a code.
    if ('misread' in read(text)) {
      bad();
      setForeign(true);
      return;
    }
    if (!(await act({ tag: text, means }))) bad();
  };
  const told = foreign ? say('scan_foreign') : (refusal?.said ?? null);
  const frame = useModal(onClose);
  return createPortal(
    <div
      className="scan-over"
      role="dialog"
      aria-modal="true"
      aria-label={say(`scan_${what}`)}
      ref={frame}
      tabIndex={-1}
    >
      <div className="scan">
        <Finder
          looking={told === null && !typing && !busy}
          aim={say('scan_aim', { name: of(order.facility.name) })}
          onRead={onRead}
          onType={() => setTyping(true)}
          onBack={onClose}
        />
        {typing && told === null && <Typing onRead={onRead} onClose={() => setTyping(false)} />}
        {told !== null && (
          <section className="scan-sheet" role="alertdialog" aria-label={told}>
            <p>{told}</p>
            <button
              type="button"
              className="scan-main"
              onClick={() => {
                setForeign(false);
                setTyping(false);
                forget();
              }}
            >
              {say('scan_again')}
            </button>
            <button type="button" onClick={onClose}>
              {say('scan_leave')}
            </button>
          </section>
        )}
      </div>
    </div>,
    document.body,
  );
}

/** The page behind it cannot be reached; Escape leaves it. */
function useModal(onClose: () => void) {
  const frame = useRef<HTMLDivElement>(null);
  const latest = useRef(onClose);
  latest.current = onClose;
  useEffect(() => {
    const root = document.getElementById('root');
    root?.setAttribute('inert', '');
    frame.current?.focus();
    const pressed = (event: KeyboardEvent) => event.key === 'Escape' && latest.current();
    addEventListener('keydown', pressed);
    return () => {
      root?.removeAttribute('inert');
      removeEventListener('keydown', pressed);
    };
  }, []);
  return frame;
}
