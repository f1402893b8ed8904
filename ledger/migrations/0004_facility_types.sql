-- Facilities remember the type they were picked as, pieces how long they are expected to serve, and a part that a
-- facility no longer has is retired like a point: what was recorded of it stays.

alter table facility add column type_key ledger_key;

alter table part add column retired_at timestamptz;

-- From the type's years, counted from the day the piece was made or installed; null: nobody can say.
alter table asset add column expected_end_on date;
