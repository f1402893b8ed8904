import { Tooltip } from 'antd';
import { Link } from 'react-router';
import type { FacilityDetail, FacilityGradeOut, GatewayOut } from '../../api/schema';
import { GradeMark } from '../../drawn/GradeMark';
import { useGrade, type Where } from '../../estate/facility';
import { useNow_ms } from '../../time/now';
import { duration, moment } from '../../time/spoken';
import { useTexts, useWords } from '../../words/words';
import { PlacePhoto } from './PlacePhoto';
import { TEXTS } from './texts';

/** Name, place, grade with its reason, kind, and whether its gateway is heard. */
export function Heading({ where, found, stale }: { where: Where; found: FacilityDetail; stale: boolean }) {
  const { t, of } = useWords();
  const grade = useGrade(where).data;
  const { facility } = found;
  return (
    <header className="facility-head">
      <h2>
        <GradeMark grade={facility.grade} /> {of(facility.name)}
      </h2>
      <dl className="facts">
        <div>
          <dt>{t('facility.kind')}</dt>
          <dd>{of(facility.kind_name)}</dd>
        </div>
        <div>
          <dt>{t('facility.place')}</dt>
          <dd>
            <Link to={`/rooms/${facility.site}/${facility.location}`}>{of(facility.location_name)}</Link>
          </dd>
        </div>
        <div>
          <dt>{t('facility.gateway')}</dt>
          <dd>
            <GatewayState gateway={facility.gateway} site={facility.site} />
          </dd>
        </div>
        {facility.expected_end_on && (
          <div>
            <dt>{t('facility.expected_end')}</dt>
            <dd>{facility.expected_end_on}</dd>
          </div>
        )}
        {facility.fitness && <FitnessFact fitness={facility.fitness} />}
        {grade && <GradeReason grade={grade} />}
      </dl>
      <PlacePhoto where={where} found={found} />
      {stale && (
        <p role="alert" className="stale-note">
          {t('facility.stale')}
        </p>
      )}
    </header>
  );
}

/** What people who looked at it found, and the order of it. */
function FitnessFact({ fitness }: { fitness: NonNullable<FacilityDetail['facility']['fitness']> }) {
  const { of, language } = useWords();
  const say = useTexts(TEXTS);
  const now_ms = useNow_ms();
  return (
    <div>
      <dt>{say('fitness')}</dt>
      <dd>
        <strong className={`fitness fitness-${fitness.state}`}>{of(fitness.state_name)}</strong>{' '}
        {say('fitness_since', { at: moment(language, fitness.since, now_ms) })}
        {fitness.work_order !== null && (
          <>
            {' · '}
            <Link to={`/work-orders/${fitness.work_order}`}>{say('fitness_order', { n: fitness.work_order })}</Link>
          </>
        )}
      </dd>
    </div>
  );
}

function GradeReason({ grade }: { grade: FacilityGradeOut }) {
  const { t, of } = useWords();
  const decided = grade.decided ?? (grade.comes_from === 'kind' ? grade.of_kind.decided : null);
  const said = decided ? `${decided.reason} (${decided.author})` : of(grade.of_kind.default_reason);
  return (
    <div className="fact-wide">
      <dt>{t('facility.grade_reason')}</dt>
      <dd>
        <Tooltip title={decided ? undefined : grade.of_kind.default_source}>
          <span>
            {t(`facility.grade_${grade.comes_from}`)} · {said}
          </span>
        </Tooltip>
      </dd>
    </div>
  );
}

export function GatewayState({ gateway, site }: { gateway: GatewayOut | null; site: string }) {
  const { t, language } = useWords();
  const now_ms = useNow_ms();
  if (gateway === null) return <>{t('gateway.none')}</>;
  const state = gateway.online === null ? 'unknown' : gateway.online ? 'online' : 'offline';
  return (
    <span className={`gateway gateway-${state}`}>
      <Link to={`/facilities/${site}/${gateway.key}`}>{gateway.key}</Link> {t(`gateway.${state}`)}
      {gateway.heard_at !== null &&
        ` · ${t('gateway.heard', { age: duration(language, now_ms - Date.parse(gateway.heard_at)) })}`}
    </span>
  );
}
