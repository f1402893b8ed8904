import type { Texts } from '../../words/words';

/** What is said of people and their roles. */
export const TEXTS = {
  view: { zh: '显示', en: 'View' },
  view_people: { zh: '人员', en: 'People' },
  view_roles: { zh: '角色与权限', en: 'Roles and rights' },
  new: { zh: '新增人员', en: 'New person' },
  change: { zh: '修改', en: 'Change' },
  more: { zh: '更多', en: 'More' },
  everywhere: { zh: '所有项目', en: 'all sites' },
  one_time: { zh: '一次性密码', en: 'One-time password' },
  one_time_hint: {
    zh: '请转告 {name}（登录名 {login}）。只显示这一次；首次登录后须改为自己的密码。',
    en: 'Tell {name} (login {login}). It is shown this once; after the first sign-in it has to be changed.',
  },
  told: { zh: '已转告', en: 'I have passed it on' },
  disabled: { zh: '已停用：{who}，{at}', en: 'disabled by {who}, {at}' },
  disable: { zh: '停用', en: 'Disable' },
  enable: { zh: '启用', en: 'Enable' },
  reset: { zh: '重置密码', en: 'Reset password' },
  means_disable: {
    zh: '此人将立即退出登录，并且不能再登录。已有记录保留。',
    en: 'He is signed out at once and can not sign in again. What he did stays on record.',
  },
  means_enable: { zh: '此人可以用原密码再次登录。', en: 'He can sign in again with his password.' },
  means_reset: {
    zh: '将生成一个一次性密码，此人的所有登录立即失效。',
    en: 'A one-time password is made; all his sessions end at once.',
  },
  login: { zh: '登录名', en: 'Login' },
  login_wrong: {
    zh: '用小写字母、数字和 . _ @ -，以字母或数字开头',
    en: 'Small letters, digits and . _ @ -, beginning with a letter or digit',
  },
  name: { zh: '姓名', en: 'Name' },
  language: { zh: '语言', en: 'Language' },
  zh: { zh: '中文', en: 'Chinese' },
  en: { zh: '英文', en: 'English' },
  memberships: { zh: '所属项目和角色', en: 'Sites and roles' },
  site: { zh: '项目', en: 'Site' },
  role: { zh: '角色', en: 'Role' },
  add_role: { zh: '增加一项', en: 'Add one' },
  remove: { zh: '删除此项', en: 'Remove it' },
  needed: { zh: '此处必须填写', en: 'This is needed' },
  save: { zh: '保存', en: 'Save' },
  right: { zh: '权限', en: 'Right' },
  yes: { zh: '✓', en: '✓' },
} satisfies Texts;
