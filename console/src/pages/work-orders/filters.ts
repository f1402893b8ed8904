/** What is looked for, as it stands in the address: a link to a list is a link to the same list. */
import { ENDED_STATES, OPEN_STATES, type Order, PRIORITIES, type State } from './orders';

export type View = 'board' | 'list' | 'ended';
export type Filters = {
  readonly view: View;
  readonly mine: boolean;
  readonly site: string | null;
  readonly states: readonly State[];
  readonly priorities: readonly Order['priority'][];
  readonly words: string;
};

const VIEWS: readonly View[] = ['board', 'list', 'ended'];
const STATES: readonly State[] = [...OPEN_STATES, ...ENDED_STATES];

function among<T extends string>(known: readonly T[], said: string | null): readonly T[] {
  return (said ?? '').split(',').flatMap(each => known.filter(one => one === each));
}

export function read(params: URLSearchParams): Filters {
  return {
    view: among(VIEWS, params.get('view'))[0] ?? 'board',
    mine: params.has('mine'),
    site: params.get('site'),
    states: among(STATES, params.get('state')),
    priorities: among(PRIORITIES, params.get('priority')),
    words: params.get('q') ?? '',
  };
}

export function written(filters: Filters): URLSearchParams {
  const params = new URLSearchParams();
  if (filters.view !== 'board') params.set('view', filters.view);
  if (filters.mine) params.set('mine', '');
  if (filters.site !== null) params.set('site', filters.site);
  if (filters.states.length > 0) params.set('state', filters.states.join(','));
  if (filters.priorities.length > 0) params.set('priority', filters.priorities.join(','));
  if (filters.words.trim() !== '') params.set('q', filters.words.trim());
  return params;
}

export function matches(order: Order, filters: Filters, person: string | null): boolean {
  if (filters.mine && order.assignee !== person) return false;
  if (filters.states.length > 0 && !filters.states.includes(order.state)) return false;
  if (filters.priorities.length > 0 && !filters.priorities.includes(order.priority)) return false;
  if (filters.words === '') return true;
  const { title, facility, assignee, id } = order;
  const said = [`#${id}`, title.zh, title.en, facility.name.zh, facility.name.en, facility.key, assignee ?? ''];
  return filters.words
    .toLowerCase()
    .split(/\s+/)
    .every(word => said.some(each => each.toLowerCase().includes(word)));
}
