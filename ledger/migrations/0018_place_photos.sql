-- A photo of the place of a facility, by which a guard finds it. docs/decisions/0037-place-photos.md.

create table place_photo (
    id          bigint generated always as identity primary key,
    site_id     int not null references site (id),
    facility_id int not null,
    sha256      text not null,      -- of the picture as it is kept: drawn anew, in the directory of photos
    bytes       int not null,
    width       int not null,
    height      int not null,
    added_at    timestamptz not null,
    added_by    text not null,
    removed_at  timestamptz,        -- taken away, or another came in its place; the row stays
    removed_by  text,
    constraint place_photo_facility_same_site foreign key (site_id, facility_id) references facility (site_id, id),
    constraint place_photo_named_by_content check (sha256 ~ '^[0-9a-f]{64}$'),
    constraint place_photo_is_a_picture check (bytes > 0 and width > 0 and height > 0),
    constraint place_photo_removed_by_somebody check (num_nonnulls(removed_at, removed_by) in (0, 2))
);
create unique index place_photo_one_current on place_photo (facility_id) where removed_at is null;
create index place_photo_of_site on place_photo (site_id, sha256);
create trigger place_photo_no_delete before delete on place_photo for each row execute function refuse_change();
create trigger place_photo_no_truncate before truncate on place_photo for each statement execute function refuse_change();

alter table place_photo enable row level security;
create policy ingest_everywhere on place_photo to taizhang_ingest using (true);
create policy api_in_scope on place_photo to taizhang_api using (site_id = any ((select site_scope())::int[]));
grant select, insert on place_photo to taizhang_api;
grant update (removed_at, removed_by) on place_photo to taizhang_api;
grant select on place_photo to taizhang_ingest;  -- it audits the whole ledger
