-- Oldest release that can run on it: 1
-- Spaces without any member: since when, as far as was noticed, and when their connection with Notion was ended.
create table web.abandoned_space (
  space_id        uuid primary key references web.organization (id) on delete cascade,
  since           timestamptz not null default now(),
  disconnected_at timestamptz
);
