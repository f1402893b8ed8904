-- Who belongs to all sites may be given a round of any. A site's scope does not show his membership, and is not to: this
-- gives no more than his name, which is unique, and his roles, and only to who acts at that site.

create function colleagues_of_all_sites(at_site int) returns table (name text, role text)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select person.name, membership.role::text from person join membership on membership.person_id = person.id
    where membership.site_id is null and person.disabled_at is null and at_site = any ((select site_scope())::int[])
    order by person.name limit 1000
$$;
revoke execute on function colleagues_of_all_sites from public;
grant execute on function colleagues_of_all_sites to taizhang_api;
