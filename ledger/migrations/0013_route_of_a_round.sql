-- The route of a round is that of the day it was walked: a stop that the plan is given later was not missed before.

alter table inspection_round add column route int[];  -- facilities, in order
update inspection_round as walked set route = coalesce(
    (select array_agg(facility_id order by seq) from inspection_plan_stop as stop where stop.plan_id = walked.plan_id), '{}'
);
alter table inspection_round alter column route set not null;
