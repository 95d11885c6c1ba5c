-- Oldest release that can run on it: 1
-- Files below /_next/static of every release that runs or ran lately: during a rolling upgrade, or in a tab that was left open, a page of one release
-- asks a process of another for them. Their names contain a digest of their content. Running processes renew their own; others are removed in time.
create table web.static_file (
  path     text primary key,
  content  bytea not null,
  seen_at  timestamptz not null default now()
);
alter table web.static_file alter column content set storage external;
