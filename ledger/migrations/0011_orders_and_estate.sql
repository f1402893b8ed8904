-- What belongs to a work order beside its moves: photos, parts used, signatures, call-backs; and what people with the right
-- to the estate may write over HTTP. docs/decisions/0025-orders-and-estate.md says why.

alter type work_order_move add value 'photo';
alter type work_order_move add value 'part';
alter type work_order_move add value 'part_struck';
alter type work_order_move add value 'signature';
alter type work_order_move add value 'call_back';

create type photo_stage as enum ('before', 'after');

-- ---------------------------------------------------------------- papers of an order

-- The picture lies in the directory of photos under its hash, and what is known of it in inspection_photo, as of a visit's.
create table work_order_photo (
    site_id       int not null references site (id),
    work_order_id bigint not null,
    sha256        text not null,
    stage         photo_stage not null,
    caption       text,
    added_at      timestamptz not null,
    added_by      text not null,
    constraint work_order_photo_pkey primary key (work_order_id, sha256),
    constraint work_order_photo_order_same_site foreign key (site_id, work_order_id) references work_order (site_id, id),
    constraint work_order_photo_photo_same_site foreign key (site_id, sha256) references inspection_photo (site_id, sha256),
    constraint work_order_photo_bounded check (length(caption) between 1 and 200)
);

create table work_order_part (
    id            bigint generated always as identity primary key,
    site_id       int not null references site (id),
    work_order_id bigint not null,
    name          text not null,
    model         text,
    quantity      numeric(12, 3) not null,
    unit          text not null,
    added_at      timestamptz not null,
    added_by      text not null,
    struck_at     timestamptz,                   -- entered by mistake; it stays on record
    struck_by     text,
    constraint work_order_part_order_same_site foreign key (site_id, work_order_id) references work_order (site_id, id),
    constraint work_order_part_bounded check (
        length(name) between 1 and 100 and length(model) between 1 and 100 and length(unit) between 1 and 20
        and quantity > 0 and quantity <= 1000000
    ),
    constraint work_order_part_struck_by_someone check ((struck_at is null) = (struck_by is null))
);
create index work_order_part_of_order on work_order_part (work_order_id, id);

create table work_order_signature (
    id            bigint generated always as identity primary key,
    site_id       int not null references site (id),
    work_order_id bigint not null,
    sha256        text not null,
    signer        text not null,                 -- who signed, as he says his name
    signed_at     timestamptz not null,
    taken_by      text not null,                 -- who held the phone
    constraint work_order_signature_order_same_site foreign key (site_id, work_order_id) references work_order (site_id, id),
    constraint work_order_signature_photo_same_site foreign key (site_id, sha256) references inspection_photo (site_id, sha256),
    constraint work_order_signature_of_somebody check (length(signer) between 1 and 100)
);
create index work_order_signature_of_order on work_order_signature (work_order_id, id);
create trigger work_order_signature_append_only before update or delete on work_order_signature
    for each row execute function refuse_change();
create trigger work_order_signature_no_truncate before truncate on work_order_signature
    for each statement execute function refuse_change();

create table work_order_call_back (
    id            bigint generated always as identity primary key,
    site_id       int not null references site (id),
    work_order_id bigint not null,
    spoken_with   text not null,
    rating        int not null,
    words         text,
    called_at     timestamptz not null,
    called_by     text not null,
    constraint work_order_call_back_order_same_site foreign key (site_id, work_order_id) references work_order (site_id, id),
    constraint work_order_call_back_rating_of_five check (rating between 1 and 5),
    constraint work_order_call_back_bounded check (
        length(spoken_with) between 1 and 100 and length(words) between 1 and 4000
    ),
    constraint work_order_call_back_low_says_why check (rating > 2 or words is not null)
);
create index work_order_call_back_of_order on work_order_call_back (work_order_id, id);
create trigger work_order_call_back_append_only before update or delete on work_order_call_back
    for each row execute function refuse_change();
create trigger work_order_call_back_no_truncate before truncate on work_order_call_back
    for each statement execute function refuse_change();

do $$
declare
    bound text;
begin
    foreach bound in array array[
        'work_order_photo', 'work_order_part', 'work_order_signature', 'work_order_call_back'
    ] loop
        execute format('alter table %I enable row level security', bound);
        execute format('create policy ingest_everywhere on %I to taizhang_ingest using (true)', bound);
        execute format('create policy api_in_scope on %I to taizhang_api using (site_id = any ((select site_scope())::int[]))', bound);
        execute format('grant select, insert on %I to taizhang_api', bound);
        execute format('grant select on %I to taizhang_ingest', bound);  -- it audits the whole ledger
    end loop;
end
$$;
grant update (struck_at, struck_by) on work_order_part to taizhang_api;

-- ---------------------------------------------------------------- the estate over HTTP

-- What an import writes at a site in scope. The policies of 0002 bind it; a site that is not there yet has no scope, and
-- begins on the command line.
grant insert on site, location, facility, gateway, facility_relation, part, asset, point, point_code to taizhang_api;
grant update (name_zh, name_en, time_zone, round_at) on site to taizhang_api;
grant update (parent_id, key, name_zh, name_en) on location to taizhang_api;
grant update (location_id, gateway_id, key, name_zh, name_en, type_key, retired_at) on facility to taizhang_api;
grant update (key) on gateway to taizhang_api;
grant update (target_id) on facility_relation to taizhang_api;
grant delete on facility_relation to taizhang_api;
grant update (name_zh, name_en, retired_at) on part to taizhang_api;
grant update (part_id, scale, shift, range_min, range_max, report_interval_s, hold_s, name_zh, name_en, retired_at)
    on point to taizhang_api;
grant update (manufactured_on, expected_end_on, removed_on) on asset to taizhang_api;
