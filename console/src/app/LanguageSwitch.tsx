import { Button } from 'antd';
import { useWords } from '../words/words';

export function LanguageSwitch() {
  const { t, language, choose } = useWords();
  return (
    <Button
      type="text"
      className="language"
      lang={language === 'zh' ? 'en' : 'zh-CN'}
      title={t('app.language_hint')}
      onClick={() => choose(language === 'zh' ? 'en' : 'zh')}
    >
      {t('app.language')}
    </Button>
  );
}
