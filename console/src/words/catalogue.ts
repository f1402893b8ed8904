/**
 * Every word the console itself says, both languages side by side. What the service names (states, severities, rules,
 * reasons) comes with the service's own vocabulary (words/vocabulary.ts) and is not repeated here.
 * `{name}` is a place for a value. tests/words.test.ts sees to it that nothing is missing, left over or outside.
 */
export const CATALOGUE = {
  // -- everywhere
  'app.name': { zh: '台账', en: 'Taizhang' },
  'app.subtitle': { zh: '生命安全设施运行台账', en: 'The running ledger of life-safety equipment' },
  'app.loading': { zh: '正在载入……', en: 'Loading …' },
  'app.menu': { zh: '菜单', en: 'Menu' },
  'app.language': { zh: 'English', en: '中文' },
  'app.language_hint': { zh: 'Switch to English', en: '切换到中文' },
  'app.skip': { zh: '跳到内容', en: 'Skip to content' },
  'app.collapse': { zh: '收起菜单', en: 'Fold the menu' },
  'app.not_found': { zh: '没有这个页面', en: 'There is no such page' },
  'app.to_alarms': { zh: '去报警页', en: 'To the alarms' },
  'app.page_failed': { zh: '页面出错，内容可能不完整', en: 'This page failed; what it shows may be incomplete' },
  'app.page_failed_hint': {
    zh: '请重新载入。若再次出现，请把时间和所在页面告诉管理员。',
    en: 'Load it again. If it happens again, tell your administrator the time and the page.',
  },
  'app.reload': { zh: '重新载入', en: 'Load again' },

  // -- navigation
  'nav.watch': { zh: '监视', en: 'Watching' },
  'nav.work': { zh: '工作', en: 'Work' },
  'nav.estate': { zh: '小区', en: 'Estate' },
  'nav.administration': { zh: '管理', en: 'Administration' },
  'nav.alarms': { zh: '报警', en: 'Alarms' },
  'nav.shelf': { zh: '屏蔽与停用', en: 'Shelved' },

  // -- the live stream
  'live.live': { zh: '实时', en: 'Live' },
  'live.connecting': { zh: '正在连接……', en: 'Connecting …' },
  'live.broken': { zh: '实时连接已断开', en: 'The live connection is broken' },
  'live.deaf': { zh: '服务暂时听不到数据库', en: 'The service cannot hear its ledger' },
  'live.banner': {
    zh: '实时连接已断开，画面停在 {at}（{age}前）。正在自动重连；此期间新报警不会出现在屏幕上。',
    en: 'The live connection is broken; the screen stands at {at} ({age} ago). Reconnecting by itself; until then new alarms do not show.',
  },
  'live.banner_deaf': {
    zh: '服务暂时听不到数据库，画面停在 {at}（{age}前）。恢复后自动更新。',
    en: 'The service cannot hear its ledger; the screen stands at {at} ({age} ago). It goes on by itself.',
  },

  // -- session
  'session.sign_in': { zh: '登录', en: 'Sign in' },
  'session.sign_out': { zh: '退出登录', en: 'Sign out' },
  'session.login': { zh: '登录名', en: 'Login' },
  'session.password': { zh: '密码', en: 'Password' },
  'session.login_missing': { zh: '请填写登录名', en: 'Write your login' },
  'session.password_missing': { zh: '请填写密码', en: 'Write your password' },
  'session.wrong': { zh: '登录名或密码不正确', en: 'Login or password is wrong' },
  'session.limited': {
    zh: '尝试次数过多，请在 {seconds} 秒后再试',
    en: 'Too many attempts; try again in {seconds} seconds',
  },
  'session.expired': {
    zh: '登录已过期，请重新登录。您填写的内容还在。',
    en: 'Your session has ended; sign in again. What you typed is still there.',
  },
  'session.no_page': { zh: '您没有查看此页面的权限', en: 'You have no right to see this page' },

  // -- refusals
  'problem.lost': {
    zh: '连接不上服务，没有执行。内容已保留，连接恢复后请再试。',
    en: 'The service cannot be reached; nothing was done. What you typed is kept; try again when it is back.',
  },
  'problem.unknown': { zh: '服务没有说明原因', en: 'The service gave no reason' },
  'problem.retry_after': { zh: '请在 {seconds} 秒后再试', en: 'Try again in {seconds} seconds' },

  // -- durations
  'time.s': { zh: '{n} 秒', en: '{n} s' },
  'time.m': { zh: '{n} 分', en: '{n} min' },
  'time.h': { zh: '{n} 小时', en: '{n} h' },
  'time.d': { zh: '{n} 天', en: '{n} d' },
  'time.hm': { zh: '{h} 小时 {m} 分', en: '{h} h {m} min' },
  'time.dh': { zh: '{d} 天 {h} 小时', en: '{d} d {h} h' },
} as const satisfies Record<string, { zh: string; en: string }>;

export type Word = keyof typeof CATALOGUE;
export type Language = 'zh' | 'en';
