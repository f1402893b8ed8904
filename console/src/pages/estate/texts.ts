import type { Texts } from '../../words/words';

/** What the tree of the estate says. */
export const TEXTS = {
  places: { zh: '位置 {n}', en: 'Places: {n}' },
  facilities: { zh: '设施 {n}', en: 'Facilities: {n}' },
  contract: { zh: '合同与等级', en: 'Contract and grades' },
  list: { zh: '在列表中查看', en: 'See them as a list' },
  drawing: { zh: '机房图', en: 'Drawing' },
  change: { zh: '导入导出', en: 'Import and export' },
  change_hint: {
    zh: '位置和设施的新增、改名、撤销都通过导入完成：先预览差别，再写入台账。',
    en: 'Places and facilities are added, renamed and retired by an import: the difference is shown first, then written.',
  },
  empty: { zh: '这里没有设施', en: 'Nothing stands here' },
  round_at: { zh: '每日巡查 {at} · {zone}', en: 'Round at {at} · {zone}' },
  incomplete: {
    zh: '设施太多，下面只列出一部分，数目也不全',
    en: 'There are more facilities than this page reads: a part is missing below, also from the counts',
  },
  none: { zh: '还没有项目', en: 'There is no site yet' },
} satisfies Texts;
