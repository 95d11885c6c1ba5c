-- Oldest release that can run on it: 1
-- The gateway processes on this database. A replica is live while its row, renewed every 10 s, is younger than 30 s.
create table gateway.replicas (
  id      uuid        primary key,
  -- Names and fingerprints of its CREDENTIAL_KEYS, in order.
  keys    text[]      not null,
  -- The key that it seals with.
  sealing text        not null,
  seen_at timestamptz not null
);
