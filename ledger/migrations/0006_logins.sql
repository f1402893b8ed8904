-- Each service logs in as a user who was granted its one role (ledger/logins.py). Two things the api has to ask of all
-- sites, because it holds the one token: it asked them as ingest's role, which its login must not have. As with
-- site_reading, a view answers whose owner may read just these columns, and owns no table.

grant select (id, key) on site to taizhang_reader;
create policy reader_everywhere on site for select to taizhang_reader using (true);
grant select (heard_at) on gateway to taizhang_reader;
create policy reader_everywhere on gateway for select to taizhang_reader using (true);
grant select (minute) on intake_account to taizhang_reader;
create policy reader_everywhere on intake_account for select to taizhang_reader using (true);

create view every_site with (security_barrier) as select id, key from site;
-- When a message came in last, of any gateway: says nothing about whose.
create view ingest_heard with (security_barrier) as
    select greatest((select max(heard_at) from gateway), (select max(minute) from intake_account)) as heard_at;

grant create on schema public to taizhang_reader;
alter view every_site owner to taizhang_reader;
alter view ingest_heard owner to taizhang_reader;
revoke create on schema public from taizhang_reader;
set local role taizhang_reader;
grant select on every_site, ingest_heard to taizhang_api;
reset role;
