-- Oldest release that can run on it: 1
-- Clients whose id is the address of a document that describes them: when that was read, and until when what it said is used as it is.
create table web.client_document (
  client_id   text primary key,
  fetched_at  timestamptz not null,
  fresh_until timestamptz not null
);
