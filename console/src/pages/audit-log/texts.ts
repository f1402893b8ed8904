import type { Texts } from '../../words/words';

/** What the audit log says of itself. */
export const TEXTS = {
  site: { zh: '项目', en: 'Site' },
  outcome: { zh: '结果', en: 'Outcome' },
  done: { zh: '已执行', en: 'Done' },
  refused: { zh: '被拒绝', en: 'Refused' },
  operation: { zh: '哪种操作', en: 'What was done' },
  raw: { zh: '原文', en: 'As it was sent' },
  yes: { zh: '是', en: 'yes' },
  no: { zh: '否', en: 'no' },
  nothing: { zh: '无', en: 'none' },
  comma: { zh: '、', en: ', ' },
  from: { zh: '从', en: 'From' },
  until: { zh: '到', en: 'Until' },
  csv: { zh: '导出 CSV', en: 'CSV' },
  none: { zh: '没有符合条件的记录', en: 'No such entries' },
  at: { zh: '时间', en: 'Time' },
  who: { zh: '谁', en: 'Who' },
  what: { zh: '操作', en: 'What' },
  asked: { zh: '内容', en: 'Asked for' },
  whence: { zh: '来自', en: 'From where' },
  older: { zh: '更早的', en: 'Older ones' },
} satisfies Texts;
