-- Oldest release that can run on it: 1
-- How much of each limit is used, over all processes. The key is a digest of what is limited and of whom; the row says when the limit is unused
-- again, and goes then. After a crash of the database it may be empty.
create unlogged table web.limit_use (
  key       bytea primary key,
  unused_at timestamptz not null
);
create index limit_use_unused on web.limit_use (unused_at);
