import { useWords } from '../words/words';

export function Language() {
  const { language, choose, t } = useWords();
  return (
    <button
      type="button"
      className="small"
      lang={language === 'zh' ? 'en' : 'zh-CN'}
      onClick={() => choose(language === 'zh' ? 'en' : 'zh')}
    >
      {t('app.language')}
    </button>
  );
}
