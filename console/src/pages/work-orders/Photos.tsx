import { CameraOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { Button } from 'antd';
import { useCallback, useState } from 'react';
import { deedKey } from '../../api/client';
import { useExplained } from '../../api/problem';
import { ready } from '../../deeds/pictures';
import { useSession } from '../../session/session';
import { useNow_ms } from '../../time/now';
import { moment } from '../../time/spoken';
import { useTexts, useWords } from '../../words/words';
import { type Detail, orderKey } from './orders';
import { pictureAt, type Stage, sendPhoto } from './papers';
import { TEXTS } from './texts';

const STAGES: readonly Stage[] = ['before', 'after'];
const ACCEPTED = 'image/jpeg,image/png,image/webp';

/** A photo on its way: kept until the service has it, or the person gives it up. */
type Waiting = {
  readonly key: string;
  readonly name: string;
  readonly stage: Stage;
  readonly file: Blob;
  readonly why: string | null;
};

/** Photos of before and after; what could not be sent waits here and is sent again at a touch. */
export function Photos({ detail }: { detail: Detail }) {
  const say = useTexts(TEXTS);
  const { can } = useSession();
  const order = detail.work_order;
  const mayAdd = can('comment', order.facility.site);
  const { waiting, add, send, drop } = useSending(order.id);
  const onTheirWay = waiting.filter(each => each.why === null).length;
  return (
    <section className="panel photos" aria-label={say('photos')}>
      <h3>{say('photos')}</h3>
      {STAGES.map(stage => (
        <Group key={stage} detail={detail} stage={stage} add={mayAdd ? add : null} />
      ))}
      <div aria-live="polite">
        {onTheirWay > 0 && <p className="faint">{say('sending', { n: onTheirWay })}</p>}
        {waiting.flatMap(each =>
          each.why === null ? (
            []
          ) : (
            <p key={each.key} role="alert" className="photo-waits">
              <span>
                {say('photo_waits', { name: each.name })} {each.why}
              </span>
              <Button onClick={() => void send(each)}>{say('again')}</Button>
              <Button type="text" onClick={() => drop(each.key)}>
                {say('drop')}
              </Button>
            </p>
          ),
        )}
      </div>
    </section>
  );
}

function useSending(order: number) {
  const say = useTexts(TEXTS);
  const explained = useExplained();
  const queries = useQueryClient();
  const [waiting, setWaiting] = useState<readonly Waiting[]>([]);
  const drop = useCallback((key: string) => setWaiting(all => all.filter(each => each.key !== key)), []);
  const send = useCallback(
    async (one: Waiting) => {
      const say_why = (why: string | null) =>
        setWaiting(all => all.map(each => (each.key === one.key ? { ...each, why } : each)));
      say_why(null);
      let blob: Blob;
      try {
        blob = await ready(one.file);
      } catch {
        say_why(say('not_an_image'));
        return;
      }
      try {
        queries.setQueryData(orderKey(order), await sendPhoto(order, one.stage, blob, one.key));
        drop(one.key);
      } catch (error) {
        say_why(explained(error));
      }
    },
    [order, queries, drop, explained, say],
  );
  const add = useCallback(
    async (stage: Stage, files: readonly File[]) => {
      const found = files.map(file => ({ key: deedKey(), name: file.name, stage, file, why: null }));
      setWaiting(all => [...all, ...found]);
      for (const each of found) await send(each); // one after the other: a weak signal carries one
    },
    [send],
  );
  return { waiting, add, send, drop };
}

type Add = (stage: Stage, files: readonly File[]) => Promise<void>;

function Group({ detail, stage, add }: { detail: Detail; stage: Stage; add: Add | null }) {
  const say = useTexts(TEXTS);
  const { language } = useWords();
  const now_ms = useNow_ms();
  const shown = detail.photos.filter(each => each.stage === stage);
  return (
    <div className="photo-group">
      <h4>
        {say(`stage_${stage}`)} <span className="count">{shown.length}</span>
      </h4>
      {shown.length === 0 && add === null && <p className="faint">{say('no_photos')}</p>}
      <ul className="photo-list">
        {shown.map((each, at) => (
          <li key={each.sha256}>
            <a href={pictureAt(detail.work_order.id, each.sha256)} target="_blank" rel="noreferrer">
              <img
                src={pictureAt(detail.work_order.id, each.sha256, true)}
                alt={say('photo_alt', { stage: say(`stage_${stage}`), n: at + 1 })}
                width={112}
                height={112}
              />
            </a>
            <span className="faint photo-by">
              {say('photo_by', { who: each.added_by, at: moment(language, each.added_at, now_ms) })}
            </span>
          </li>
        ))}
        {add !== null && (
          <li>
            <label className="photo-add">
              <CameraOutlined aria-hidden />
              <span>{say(`add_${stage}`)}</span>
              <input
                type="file"
                accept={ACCEPTED}
                multiple
                onChange={event => {
                  void add(stage, [...(event.target.files ?? [])]);
                  event.target.value = '';
                }}
              />
            </label>
          </li>
        )}
      </ul>
    </div>
  );
}
