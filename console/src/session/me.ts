export type Right =
  | 'read'
  | 'acknowledge'
  | 'shelve'
  | 'out_of_service'
  | 'reset'
  | 'comment'
  | 'assign'
  | 'work'
  | 'verify'
  | 'permit'
  | 'parameters'
  | 'policy'
  | 'estate'
  | 'inspect'
  | 'people'
  | 'tokens'
  | 'audit';

export type Me = {
  readonly person: {
    readonly id: number;
    readonly login: string;
    readonly name: string;
    readonly language: string | null;
  };
  readonly sites: readonly {
    readonly site: string;
    readonly name: { readonly zh: string; readonly en: string };
    readonly roles: readonly string[];
    readonly rights: readonly Right[];
  }[];
  readonly csrf: string;
  readonly expires_at: string;
};
