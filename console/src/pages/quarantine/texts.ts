import type { Texts } from '../../words/words';

/** What is said where something unknown is accepted into the ledger. */
export const TEXTS = {
  accept: { zh: '登记到台账', en: 'Accept into the ledger' },
  accept_facility: { zh: '登记设施 {key}', en: 'Accept facility {key}' },
  accept_gateway: { zh: '登记网关 {key}', en: 'Accept gateway {key}' },
  accept_points: { zh: '登记 {key} 的测点', en: 'Accept points of {key}' },
  known: { zh: '已登记：此后的报文会被接收。', en: 'In the ledger now: what comes from now on is taken.' },
  not_resurrected: {
    zh: '登记之前被拒收的 {n} 条报文没有保存过数值，不会补录；历史从登记后的第一条报文开始。',
    en: 'The {n} messages refused until then were never stored and do not come back; the history begins with the first message after it.',
  },
  heard: { zh: '报文里出现的测点', en: 'Points heard of' },
  heard_none: { zh: '样本里没有可读的测点', en: 'No point can be read in the samples' },
  type: { zh: '设施类型', en: 'Type' },
  type_hint: {
    zh: '类型决定有哪些测点，由哪些规则监视',
    en: 'The type says which points there are, and which rules watch',
  },
  type_fits: { zh: '{name} · 对上 {n}/{all} 个测点', en: '{name} · has {n} of {all} points' },
  unheard_of: {
    zh: '此类型没有这些测点，登记后仍会拒收：{points}',
    en: 'This type has not these points; they are refused as before: {points}',
  },
  name_zh: { zh: '中文名称', en: 'Name in Chinese' },
  name_en: { zh: '英文名称（可不填）', en: 'Name in English (optional)' },
  location: { zh: '位置', en: 'Place' },
  gateway: { zh: '采集网关', en: 'Gateway that speaks for it' },
  which_points: { zh: '登记哪些测点', en: 'Which points' },
  way_optional: { zh: '可选测点', en: 'optional' },
  way_new_part: { zh: '新部件', en: 'with a new part' },
  way_none: {
    zh: '此类设施没有这个测点：请改设备里的名称，或在规则包里增加',
    en: 'No such point at this kind: call it otherwise in the device, or add it to the rule pack',
  },
  needed: { zh: '此处必须填写', en: 'This is needed' },
  choose_one: { zh: '请至少选一个测点', en: 'Choose at least one point' },
  do_accept: { zh: '登记', en: 'Accept' },
  done: { zh: '已写入台账', en: 'Written into the ledger' },
  close: { zh: '关闭', en: 'Close' },
} as const satisfies Texts;
