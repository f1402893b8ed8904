import { Link } from 'react-router';
import type { FacilityDetail } from '../../api/schema';
import { useWords } from '../../words/words';

/** What is installed, and what this facility leans on. */
export function Assets({ found, site }: { found: FacilityDetail; site: string }) {
  const { t, of } = useWords();
  const parts = new Map(found.parts.map(part => [part.key, of(part.name)]));
  const relations = Object.entries(found.relations);
  if (found.assets.length + relations.length === 0) return <p className="open-none">{t('asset.none')}</p>;
  return (
    <div className="assets">
      {relations.map(([name, key]) => (
        <p key={name}>
          {t('asset.leans_on')} <Link to={`/facilities/${site}/${key}`}>{key}</Link>
        </p>
      ))}
      {found.assets.length > 0 && (
        <div className="points-box">
          <table className="points">
            <thead>
              <tr>
                <th scope="col">{t('asset.part')}</th>
                <th scope="col">{t('asset.model')}</th>
                <th scope="col">{t('asset.serial')}</th>
                <th scope="col">{t('asset.installed')}</th>
                <th scope="col">{t('asset.ends')}</th>
              </tr>
            </thead>
            <tbody>
              {found.assets.map(asset => (
                <tr
                  key={`${asset.part} ${asset.serial} ${asset.installed_on}`}
                  className={asset.removed_on ? 'asset-removed' : ''}
                >
                  <td>{asset.part === null ? t('asset.whole') : (parts.get(asset.part) ?? asset.part)}</td>
                  <td>
                    {asset.maker} {asset.model}
                  </td>
                  <td>{asset.serial ?? '–'}</td>
                  <td>{asset.installed_on}</td>
                  <td>
                    {asset.removed_on ? t('asset.removed', { on: asset.removed_on }) : (asset.expected_end_on ?? '–')}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
