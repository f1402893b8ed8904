import { Button, Result } from 'antd';
import { Component, type ReactNode } from 'react';
import { useWords } from '../words/words';

/** A page that fails says so and takes nothing else with it: the alarms' sound and the live state stand outside. */
export class Contained extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    return this.state.failed ? <PageFailed /> : this.props.children;
  }
}

function PageFailed() {
  const { t } = useWords();
  return (
    <Result
      status="warning"
      title={t('app.page_failed')}
      subTitle={t('app.page_failed_hint')}
      extra={
        <Button type="primary" onClick={() => location.reload()}>
          {t('app.reload')}
        </Button>
      }
    />
  );
}
