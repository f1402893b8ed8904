import { BulbOutlined, ExpandOutlined, RollbackOutlined } from '@ant-design/icons';
import { Link } from 'react-router';
import type { AlarmOut, Grade } from '../../api/schema';
import { LanguageSwitch } from '../../app/LanguageSwitch';
import { GradeMark } from '../../drawn/GradeMark';
import { PriorityMark } from '../../drawn/PriorityMark';
import { isUnanswered, PRIORITIES } from '../../estate/standing';
import { LiveMark } from '../../live/LiveMark';
import { useRunning_ms } from '../../time/now';
import { useServiceWords } from '../../words/vocabulary';
import { useWords } from '../../words/words';

const GRADES: readonly Grade[] = ['A', 'B', 'C'];

/** Counts by grade and by priority, the clock, and the few things a hand can do here. */
export function Top({ alarms, onDark }: { alarms: readonly AlarmOut[]; onDark: () => void }) {
  const { t } = useWords();
  return (
    <header className="wall-top">
      <h1 className="wall-title">{t('app.name')}</h1>
      <Counts alarms={alarms} />
      <div className="wall-tools">
        <LiveMark />
        <LanguageSwitch />
        <button
          type="button"
          className="wall-button"
          onClick={onDark}
          aria-label={t('wall.dark')}
          title={t('wall.dark')}
        >
          <BulbOutlined />
        </button>
        <button
          type="button"
          className="wall-button"
          onClick={() => void document.documentElement.requestFullscreen?.()}
          aria-label={t('wall.full_screen')}
          title={t('wall.full_screen')}
        >
          <ExpandOutlined />
        </button>
        <Link to="/alarms" className="wall-button" aria-label={t('wall.leave')} title={t('wall.leave')}>
          <RollbackOutlined />
        </Link>
      </div>
      <Clock />
    </header>
  );
}

function Counts({ alarms }: { alarms: readonly AlarmOut[] }) {
  const { t } = useWords();
  const { name } = useServiceWords();
  return (
    <div className="counts">
      {GRADES.map(grade => {
        const here = alarms.filter(alarm => alarm.facility.grade === grade);
        const unanswered = here.filter(isUnanswered).length;
        const worst = PRIORITIES.find(priority => here.some(alarm => alarm.priority === priority));
        return (
          <div key={grade} className={`count ${worst ? `is-${worst}` : 'is-quiet'}`}>
            <span className="count-grade">
              <GradeMark grade={grade} /> <span className="count-word">{name('grade', grade)}</span>
            </span>
            <span className="count-figure">
              {worst && <PriorityMark priority={worst} hollow={unanswered === 0} />}
              {here.length}
            </span>
            <span className="count-foot">{t('wall.unanswered', { n: unanswered })}</span>
          </div>
        );
      })}
    </div>
  );
}

function Clock() {
  const { language } = useWords();
  const now = new Date(useRunning_ms());
  const tag = language === 'zh' ? 'zh-CN' : 'en-GB';
  return (
    <time className="wall-clock" dateTime={now.toISOString()}>
      <span className="wall-hours">{now.toLocaleTimeString(tag, { hour12: false })}</span>
      <span className="wall-day">
        {now.toLocaleDateString(tag, { month: 'long', day: 'numeric', weekday: 'short' })}
      </span>
    </time>
  );
}
