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
  'nav.work_orders': { zh: '工单', en: 'Work orders' },
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

  // -- work orders
  'orders.one': { zh: '工单', en: 'Work order' },
  'orders.board': { zh: '工单看板', en: 'Work orders by state' },
  'orders.view': { zh: '显示方式', en: 'View' },
  'orders.view_board': { zh: '看板', en: 'Board' },
  'orders.view_list': { zh: '列表', en: 'List' },
  'orders.view_ended': { zh: '已结束', en: 'Ended' },
  'orders.whose': { zh: '谁的工单', en: 'Whose orders' },
  'orders.whose_all': { zh: '全部', en: 'All' },
  'orders.whose_mine': { zh: '我的', en: 'Mine' },
  'orders.site': { zh: '项目', en: 'Site' },
  'orders.state': { zh: '状态', en: 'State' },
  'orders.priority': { zh: '优先级', en: 'Priority' },
  'orders.search': { zh: '查找编号、标题、设施、人员', en: 'Find number, title, facility, person' },
  'orders.number': { zh: '编号', en: 'No.' },
  'orders.title': { zh: '内容', en: 'What' },
  'orders.facility': { zh: '设施', en: 'Facility' },
  'orders.work_class': { zh: '工种', en: 'Work' },
  'orders.deadline': { zh: '时限', en: 'Deadline' },
  'orders.assignee': { zh: '处理人', en: 'Who does it' },
  'orders.age': { zh: '已历时', en: 'Age' },
  'orders.opened': { zh: '开单', en: 'Opened' },
  'orders.nobody': { zh: '无人', en: 'Nobody' },
  'orders.none': { zh: '没有符合条件的工单', en: 'No such work orders' },
  'orders.gone': { zh: '已不在此列', en: 'No longer here' },
  'orders.waiting': { zh: '有 {n} 张新工单，点此显示', en: '{n} new work orders; show them' },
  'orders.more': {
    zh: '未结束的工单超过 {n} 张，这里只显示最新的；请按项目筛选。',
    en: 'More than {n} open work orders; only the newest show here. Choose a site.',
  },
  'orders.older': { zh: '更早的', en: 'Older ones' },
  'orders.clock_running': { zh: '还剩 {time}', en: '{time} left' },
  'orders.clock_missed': { zh: '已超时 {time}', en: '{time} late' },
  'orders.clock_standing_still': { zh: '暂停，剩 {time}', en: 'stands still, {time} left' },
  'orders.clock_met': { zh: '按时，提前 {time}', en: 'in time by {time}' },
  'orders.clock_late': { zh: '迟了 {time}', en: 'done {time} late' },
  'orders.clock_void': { zh: '不再要求', en: 'not asked any more' },
  'orders.clocks': { zh: '时限', en: 'Deadlines' },
  'orders.no_clocks': { zh: '合同对此工单没有时限要求', en: 'The contract promises no deadline for this order' },
  'orders.moves': { zh: '操作', en: 'What can be done' },
  'orders.not_yours': { zh: '目前没有您可以执行的操作', en: 'Nothing here is yours to do now' },
  'orders.final': { zh: '工单已结束', en: 'The order has ended' },
  'orders.assignee_missing': { zh: '请填写处理人', en: 'Say who does it' },
  'orders.why': { zh: '原因', en: 'Why' },
  'orders.plan': { zh: '处理方案', en: 'What will be done' },
  'orders.remark': { zh: '说明（可不填）', en: 'Remark (optional)' },
  'orders.why_missing': { zh: '此处必须填写', en: 'This has to be said' },
  'orders.do': { zh: '提交：{move}', en: 'Do it: {move}' },
  'orders.do_final': { zh: '取消此工单', en: 'Cancel this order' },
  'orders.leave': { zh: '返回', en: 'Back' },
  'orders.forestalled': {
    zh: '{who} 已于 {at} 先执行了“{move}”，工单现在是“{state}”。',
    en: '{who} was first at {at} with “{move}”; the order is now “{state}”.',
  },
  'orders.possible_now': { zh: '现在可以：{moves}', en: 'Possible now: {moves}' },
  'orders.goes_on_as': { zh: '恢复后为“{state}”', en: 'goes on as “{state}”' },
  'orders.no_such': { zh: '没有这张工单，或您无权查看', en: 'There is no such work order, or it is not yours to see' },
  'orders.to_list': { zh: '全部工单', en: 'All work orders' },
  'orders.alarms': { zh: '报警', en: 'Alarms' },
  'orders.no_alarms': { zh: '人工开单，没有关联报警', en: 'Opened by hand, without an alarm' },
  'orders.alarms_more': { zh: '只显示最新的 {n} 条', en: 'Only the newest {n} are shown' },
  'orders.journal': { zh: '经过', en: 'What happened' },
  'orders.earlier': { zh: '更早的记录', en: 'Earlier entries' },
  'orders.note': { zh: '备注', en: 'Note' },
  'orders.write_note': { zh: '记入', en: 'Write it down' },

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
