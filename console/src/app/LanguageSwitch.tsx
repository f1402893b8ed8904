import { Button } from 'antd';
import { useSession } from '../session/session';
import { useWords } from '../words/words';

export function LanguageSwitch() {
  const { t, language } = useWords();
  const { read } = useSession();
  return (
    <Button
      type="text"
      className="language"
      lang={language === 'zh' ? 'en' : 'zh-CN'}
      title={t('app.language_hint')}
      onClick={() => read(language === 'zh' ? 'en' : 'zh')}
    >
      {t('app.language')}
    </Button>
  );
}
