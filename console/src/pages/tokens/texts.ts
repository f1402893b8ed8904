import type { Texts } from '../../words/words';

/** What is said of tokens. */
export const TEXTS = {
  everywhere: { zh: '所有项目', en: 'all sites' },
  needed: { zh: '此处必须填写', en: 'This is needed' },
  new: { zh: '新建令牌', en: 'New token' },
  none: { zh: '还没有令牌', en: 'No tokens yet' },
  older: { zh: '更早的', en: 'Older ones' },
  secret: { zh: '令牌', en: 'The token' },
  secret_hint: {
    zh: '只显示这一次，请立即存入使用它的系统。',
    en: 'Shown this once: put it where it is used now.',
  },
  kept: { zh: '已保存', en: 'I have kept it' },
  revoke: { zh: '作废', en: 'Revoke' },
  revoke_means: { zh: '使用此令牌的系统将立即不能再访问。', en: 'Whatever uses it is shut out at once.' },
  revoked: { zh: '已作废：{who}，{at}', en: 'revoked by {who}, {at}' },
  expired: { zh: '已过期', en: 'expired' },
  rights: { zh: '权限', en: 'Rights' },
  sites: { zh: '项目', en: 'Sites' },
  expires: { zh: '有效期至', en: 'Expires' },
  expires_wrong: { zh: '有效期须在将来，最长五年', en: 'In the future, at most five years' },
  used: { zh: '最近使用', en: 'Last used' },
  never: { zh: '从未', en: 'never' },
  made_by: { zh: '创建', en: 'Made' },
  name: { zh: '用途（使用它的系统）', en: 'Name of what uses it' },
  make: { zh: '生成令牌', en: 'Make the token' },
} satisfies Texts;
