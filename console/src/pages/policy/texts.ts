import type { Texts } from '../../words/words';

/** What is said of grades, clocks and contracts. */
export const TEXTS = {
  site: { zh: '项目', en: 'Site' },
  contract: { zh: '服务合同与时限', en: 'Contract and deadlines' },
  event_class: { zh: '事件类别', en: 'Kind of event' },
  clock_hint: {
    zh: '写法：15m 分钟，4h 小时，2d 天，5wd 工作日，same_day 当日',
    en: 'Written 15m minutes, 4h hours, 2d days, 5wd working days, same_day',
  },
  clock_wrong: { zh: '请按 15m、4h、2d、5wd 或 same_day 填写', en: 'Write 15m, 4h, 2d, 5wd or same_day' },
  own: { zh: '本项目自定（合同：{contract}）', en: 'set here (contract: {contract})' },
  grades: { zh: '设施风险等级', en: 'Risk grades' },
  kind: { zh: '设施种类', en: 'Kind of facility' },
  facilities: { zh: '数量', en: 'How many' },
  grade: { zh: '等级', en: 'Grade' },
  because: { zh: '依据', en: 'Why' },
  change: { zh: '更改', en: 'Change' },
  value: { zh: '改为', en: 'To' },
  reason: { zh: '原因（记入台账）', en: 'Why (goes on record)' },
  reason_missing: { zh: '请说明原因', en: 'Say why' },
  needed: { zh: '请选择', en: 'Choose one' },
  decide: { zh: '决定', en: 'Decide' },
  inherit: { zh: '恢复为 {value}', en: 'Back to {value}' },
  decisions: { zh: '决定记录', en: 'Decisions' },
  no_decisions: { zh: '还没有决定', en: 'Nothing was decided yet' },
  as_before: { zh: '恢复默认', en: 'as before' },
} satisfies Texts;
