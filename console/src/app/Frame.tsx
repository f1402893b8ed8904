import { LogoutOutlined, MenuFoldOutlined, MenuOutlined, MenuUnfoldOutlined, UserOutlined } from '@ant-design/icons';
import { Button, Drawer, Dropdown, Layout, Menu } from 'antd';
import { type ReactNode, useMemo, useState } from 'react';
import { Link } from 'react-router';
import { LiveBanner, LiveMark } from '../live/LiveMark';
import { useSession } from '../session/session';
import { Bell } from '../sound/Bell';
import { useWords } from '../words/words';
import { LanguageSwitch } from './LanguageSwitch';
import { type Group, PAGES, type Page } from './pages';
import { useLarge, useNarrow } from './theme';

const GROUPS: readonly Group[] = ['nav.watch', 'nav.work', 'nav.estate', 'nav.administration'];

/** What stands around every page: the menu, who is signed in, and whether the screen is live. */
export function Frame({ page, children }: { page: Omit<Page, 'load'>; children: ReactNode }) {
  const { t } = useWords();
  const { can } = useSession();
  const narrow = useNarrow();
  const large = useLarge();
  const [folded, setFolded] = useState(false);
  const [open, setOpen] = useState(false);
  const menu = <Navigation current={page.path} onGone={() => setOpen(false)} />;
  return (
    <Layout className="frame">
      <a className="skip" href="#content">
        {t('app.skip')}
      </a>
      {!narrow && (
        <Layout.Sider
          className="sider"
          theme="light"
          width={large ? 300 : 196}
          collapsedWidth={large ? 88 : 56}
          collapsed={folded}
          trigger={null}
        >
          <Link to="/alarms" className="brand">
            <img src="/mark.svg" alt="" width={large ? 44 : 28} height={large ? 44 : 28} />
            {!folded && <strong>{t('app.name')}</strong>}
          </Link>
          <nav aria-label={t('app.menu')}>{menu}</nav>
        </Layout.Sider>
      )}
      <Drawer placement="left" size={260} open={narrow && open} onClose={() => setOpen(false)} title={t('app.name')}>
        <nav aria-label={t('app.menu')}>{menu}</nav>
      </Drawer>
      <Layout>
        <Layout.Header className="header">
          <Button
            type="text"
            icon={
              narrow ? (
                <MenuOutlined aria-hidden="true" />
              ) : folded ? (
                <MenuUnfoldOutlined aria-hidden="true" />
              ) : (
                <MenuFoldOutlined aria-hidden="true" />
              )
            }
            aria-label={narrow ? t('app.menu') : t('app.collapse')}
            aria-expanded={narrow ? open : !folded}
            onClick={() => (narrow ? setOpen(true) : setFolded(!folded))}
          />
          <h1 className="title">{t(page.word)}</h1>
          <div id="header-tools" className="header-tools" />
          <Bell />
          <LiveMark />
          <LanguageSwitch />
          <Person />
        </Layout.Header>
        <LiveBanner />
        <Layout.Content id="content" className="content" tabIndex={-1}>
          {can(page.right) ? children : <p className="refused">{t('session.no_page')}</p>}
        </Layout.Content>
      </Layout>
    </Layout>
  );
}

function Navigation({ current, onGone }: { current: string; onGone: () => void }) {
  const { t } = useWords();
  const { can } = useSession();
  const items = useMemo(
    () =>
      GROUPS.map(group => ({
        type: 'group' as const,
        key: group,
        label: t(group),
        children: PAGES.filter(page => page.menu?.group === group && can(page.right)).map(page => {
          const Icon = page.menu?.icon;
          return {
            key: page.path,
            icon: Icon && <Icon />,
            label: <Link to={`/${page.path}`}>{t(page.word)}</Link>,
          };
        }),
      })).filter(group => group.children.length > 0),
    [t, can],
  );
  return (
    <Menu
      mode="inline"
      inlineIndent={14}
      items={items}
      selectedKeys={[current]}
      onClick={onGone}
      className="navigation"
    />
  );
}

function Person() {
  const { t } = useWords();
  const { me, signOut } = useSession();
  const narrow = useNarrow();
  if (me === null) return null;
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        items: [
          { key: 'who', label: `${me.person.name} (${me.person.login})`, disabled: true },
          {
            key: 'sign-out',
            icon: <LogoutOutlined aria-hidden="true" />,
            label: t('session.sign_out'),
            onClick: () => void signOut(),
          },
        ],
      }}
    >
      <Button type="text" icon={<UserOutlined aria-hidden="true" />} aria-label={me.person.name}>
        {narrow ? null : me.person.name}
      </Button>
    </Dropdown>
  );
}
