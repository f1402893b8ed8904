import type { Texts } from '../../words/words';

/** What the page says of who may hide an alarm, and for how long. */
export const TEXTS = {
  longest: { zh: '最长屏蔽时间', en: 'Longest shelving' },
  longest_hint: {
    zh: '按报警严重程度和设施等级。屏蔽到期自动恢复并重新提醒；涉及生命安全的报警任何人都不能屏蔽。',
    en: 'By the severity of the alarm and the grade of its facility. What was shelved comes back by itself and rings again; nobody shelves an alarm that endangers life.',
  },
  severity: { zh: '严重程度', en: 'Severity' },
  never: { zh: '不可屏蔽', en: 'Never' },
  note_required: { zh: '须写明原因', en: 'with a reason' },
  note_optional: { zh: '原因可不写', en: 'a reason may be given' },
  who: { zh: '谁可以屏蔽', en: 'Who may shelve' },
  role: { zh: '角色', en: 'Role' },
  shelve: { zh: '屏蔽与解除', en: 'Shelve and unshelve' },
  out_of_service: { zh: '停用与恢复', en: 'Take out of service and return' },
  yes: { zh: '可以', en: 'yes' },
  no: { zh: '不可以', en: 'no' },
  mine: { zh: '您可以屏蔽：{sites}', en: 'You may shelve at: {sites}' },
  mine_nowhere: { zh: '您不能屏蔽报警', en: 'You may shelve nowhere' },
  fixed: {
    zh: '时间由服务的响应表规定，随版本发布，不在此页修改；谁有哪个角色在“人员与权限”中设定。',
    en: 'The times are the service’s response table and change with a release, not here; who has which role is set under People and roles.',
  },
  now: { zh: '现在屏蔽了什么', en: 'What is shelved now' },
} satisfies Texts;
