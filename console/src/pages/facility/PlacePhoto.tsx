import { useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import { useCallback, useState } from 'react';
import { api, given } from '../../api/client';
import type { FacilityDetail } from '../../api/schema';
import { raw, ready } from '../../deeds/pictures';
import { Refused } from '../../deeds/Refused';
import { useDeed } from '../../deeds/useDeed';
import type { Where } from '../../estate/facility';
import { useSession } from '../../session/session';
import { useNow_ms } from '../../time/now';
import { moment } from '../../time/spoken';
import { useTexts, useWords } from '../../words/words';
import { TEXTS } from './texts';

/** How its place is found: the photo that guards have on their phones; set and taken away by who keeps the estate. */
export function PlacePhoto({ where, found }: { where: Where; found: FacilityDetail }) {
  const { of, language } = useWords();
  const say = useTexts(TEXTS);
  const { can } = useSession();
  const now_ms = useNow_ms();
  const photo = found.place_photo;
  const may = can('estate', where.site);
  if (photo === null && !may) return null;
  const address = photo === null ? null : `${placeOf(where)}/${photo.sha256}`;
  return (
    <figure className="place-photo">
      {photo !== null && address !== null && (
        <>
          <a href={address} target="_blank" rel="noreferrer">
            <img
              src={address}
              width={photo.width}
              height={photo.height}
              alt={say('place_photo_of', { name: of(found.facility.name) })}
            />
          </a>
          <figcaption>
            {say('place_photo_by', { by: photo.added_by, at: moment(language, photo.added_at, now_ms) })}
          </figcaption>
        </>
      )}
      {may && <Deeds where={where} there={photo !== null} />}
    </figure>
  );
}

const placeOf = ({ site, facility }: Where) => `/api/v1/facilities/${site}/${facility}/place-photo`;

function Deeds({ where, there }: { where: Where; there: boolean }) {
  const say = useTexts(TEXTS);
  const queries = useQueryClient();
  const { message, modal } = App.useApp();
  const [wrong, setWrong] = useState(false);
  const { site, facility } = where;
  const renew = useCallback(() => {
    void message.success(say('place_photo_done'));
    void queries.invalidateQueries({ queryKey: ['facility', site, facility] });
  }, [queries, message, say, site, facility]);
  const set = useDeed(
    useCallback(
      // The same picture twice is there once, whatever its key.
      (picture: Blob) => {
        const params = { path: { site, facility } };
        return given(api.POST('/api/v1/facilities/{site}/{facility}/place-photo', { params, ...raw(picture) }));
      },
      [site, facility],
    ),
    renew,
  );
  const remove = useDeed(
    useCallback(
      (_: null, key: string) => {
        const params = { path: { site, facility }, header: { 'idempotency-key': key } };
        return given(api.POST('/api/v1/facilities/{site}/{facility}/place-photo/remove', { params }));
      },
      [site, facility],
    ),
    renew,
  );
  const send = async (file: File | undefined) => {
    if (file === undefined) return;
    remove.forget();
    const picture = await ready(file).catch(() => null);
    setWrong(picture === null);
    if (picture !== null) await set.act(picture);
  };
  const sure = () =>
    modal.confirm({
      title: say('place_photo_remove'),
      content: say('place_photo_sure'),
      okText: say('place_photo_remove'),
      cancelText: say('cancel'),
      onOk: async () => {
        set.forget();
        await remove.act(null);
      },
    });
  return (
    <span className="place-photo-deeds">
      <label className={set.busy ? 'certificate-add certificate-busy' : 'certificate-add'}>
        {say(set.busy ? 'certificate_sending' : there ? 'place_photo_change' : 'place_photo_set')}
        <input
          type="file"
          accept="image/jpeg,image/png,image/webp"
          disabled={set.busy}
          onChange={event => {
            void send(event.target.files?.[0]);
            event.target.value = '';
          }}
        />
      </label>
      {there && (
        <Button size="small" type="text" loading={remove.busy} onClick={sure}>
          {say('place_photo_remove')}
        </Button>
      )}
      {wrong && <span role="alert">{say('place_photo_no')}</span>}
      <Refused refusal={set.refusal ?? remove.refusal} />
    </span>
  );
}
