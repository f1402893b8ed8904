import { Link } from 'react-router';
import { PriorityMark } from '../../drawn/PriorityMark';
import type { Room } from '../../estate/rooms';
import { isUnanswered, type Standing } from '../../estate/standing';
import { useWords } from '../../words/words';

/** A room as it is seen from three metres: grey with its name, or what is wrong there. */
export function RoomTile({ room, how }: { room: Room; how: Standing }) {
  const { t, of } = useWords();
  const { first } = how;
  const state = first ? `is-${first.priority} ${how.unanswered > 0 ? 'is-unanswered' : 'is-answered'}` : 'is-quiet';
  const address = room.walked ? `/facilities?site=${room.site}&place=${room.key}` : `/rooms/${room.site}/${room.key}`;
  return (
    <Link to={address} className={`tile ${state}${how.silent > 0 ? ' is-silent' : ''}`}>
      <span className="tile-inside">
        <span className="tile-name">{of(room.name)}</span>
        {first ? (
          <>
            <span className="tile-alarm">
              <PriorityMark priority={first.priority} hollow={!isUnanswered(first)} />
              <span className="tile-title">{of(first.title)}</span>
            </span>
            <span className="tile-foot">
              {t('wall.alarms', { n: how.alarms.length })}
              {how.unanswered > 0 && ` · ${t('wall.unanswered', { n: how.unanswered })}`}
            </span>
          </>
        ) : (
          <span className="tile-foot">
            {t(room.walked ? 'wall.walked' : 'wall.facilities', { n: room.facilities.length })}
          </span>
        )}
        {how.silent > 0 && <span className="tile-silent">{t('wall.silent')}</span>}
        {how.hidden > 0 && <span className="tile-foot">{t('wall.hidden', { n: how.hidden })}</span>}
      </span>
    </Link>
  );
}
