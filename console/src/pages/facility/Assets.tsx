import { Link } from 'react-router';
import type { FacilityDetail } from '../../api/schema';
import type { Where } from '../../estate/facility';
import { useSession } from '../../session/session';
import { useTexts, useWords } from '../../words/words';
import { ServiceForm } from './ServiceForm';
import { TEXTS } from './texts';

/** What is installed, and what this facility leans on. */
export function Assets({ found, where }: { found: FacilityDetail; where: Where }) {
  const { site } = where;
  const { can } = useSession();
  const { of } = useWords();
  const say = useTexts(TEXTS);
  const parts = new Map(found.parts.map(part => [part.key, of(part.name)]));
  const serviced = found.assets.some(asset => asset.is_serviced);
  const relations = Object.entries(found.relations);
  if (found.assets.length + relations.length === 0) return <p className="open-none">{say('none')}</p>;
  return (
    <div className="assets">
      {relations.map(([name, key]) => (
        <p key={name}>
          {say('leans_on')} <Link to={`/facilities/${site}/${key}`}>{key}</Link>
        </p>
      ))}
      {found.assets.length > 0 && (
        <div className="points-box">
          <table className="points">
            <thead>
              <tr>
                <th scope="col">{say('part')}</th>
                <th scope="col">{say('model')}</th>
                <th scope="col">{say('serial')}</th>
                <th scope="col">{say('installed')}</th>
                <th scope="col">{say('ends')}</th>
                {serviced && <th scope="col">{say('service')}</th>}
              </tr>
            </thead>
            <tbody>
              {found.assets.map(asset => (
                <tr
                  key={`${asset.part} ${asset.serial} ${asset.installed_on}`}
                  className={asset.removed_on ? 'asset-removed' : ''}
                >
                  <td>{asset.part === null ? say('whole') : (parts.get(asset.part) ?? asset.part)}</td>
                  <td>
                    {asset.maker} {asset.model}
                  </td>
                  <td>{asset.serial ?? '–'}</td>
                  <td>{asset.installed_on}</td>
                  <td>
                    {asset.removed_on ? say('removed', { on: asset.removed_on }) : (asset.expected_end_on ?? '–')}
                  </td>
                  {serviced && (
                    <td>
                      {asset.is_serviced &&
                        say(asset.next_service_on === null ? 'service_unknown' : 'service_next', {
                          on: asset.next_service_on ?? '',
                        })}
                      {asset.serviced_on !== null && ` · ${say('service_last', { on: asset.serviced_on })}`}
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {serviced && can('estate', where.site) && <ServiceForm where={where} />}
    </div>
  );
}
