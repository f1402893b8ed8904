import { Result } from 'antd';
import { Link } from 'react-router';
import { useWords } from '../../words/words';

export function NotFound() {
  const { t } = useWords();
  return <Result status="404" title={t('app.not_found')} extra={<Link to="/alarms">{t('app.to_alarms')}</Link>} />;
}
