-- Oldest release that can run on it: 1
-- Identity of the database. `xid` is the transaction that wrote the row and equals its xmin, unless the row was restored from a dump or
-- replicated logically. So the row has its own table, is written outside of savepoints, and each update sets `xid`.
create table gateway.database_identity (
  only_row          boolean primary key default true check (only_row),
  -- The same for all copies of a database, until one of them is detached.
  installation      uuid    not null default gen_random_uuid(),
  xid               xid8    not null default pg_current_xact_id(),
  system_identifier text,
  database_oid      text,
  timeline          text,
  public_url        text,
  data_folder       text
);

-- Count of stored credentials. Adopting adds 2^32, which is more than any copy can count.
create table gateway.credential_count (
  only_row boolean primary key default true check (only_row),
  value    bigint  not null
);
insert into gateway.credential_count (value) values (0);

-- Present while this database counts as a copy: no token is sent to the authorization server.
create table gateway.database_hold (
  only_row boolean     primary key default true check (only_row),
  since    timestamptz not null default now(),
  reasons  text[]      not null
);

-- The change announced by an operator. `adopt`: accept the next difference. `move`: hold this database and adopt its copy.
create table gateway.database_plan (
  only_row boolean primary key default true check (only_row),
  plan     text    not null check (plan in ('adopt', 'move'))
);
