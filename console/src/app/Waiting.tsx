import { Spin } from 'antd';
import { useWords } from '../words/words';

export function Waiting() {
  const { t } = useWords();
  return (
    <div className="waiting" role="status" aria-label={t('app.loading')}>
      <Spin />
    </div>
  );
}
