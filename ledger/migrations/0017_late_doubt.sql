-- What a visit put right is taken back when the visit is doubted afterwards and no other that counts has found all in order
-- since. docs/decisions/0034-late-doubt.md.

alter table facility_fitness add column mended_from fitness_state;  -- what it was before a visit, and no repair, made it fit
alter table facility_fitness add constraint facility_fitness_mended_is_fit
    check (mended_from is null or (state = 'fit' and mended_from <> 'fit'));
create index facility_fitness_mended on facility_fitness (site_id) where mended_from is not null;
grant update (mended_from) on facility_fitness to taizhang_api, taizhang_ingest;
