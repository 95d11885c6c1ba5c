-- Oldest release that can run on it: 1
-- What the sweep looks for: refreshes by age, and sealed credentials that a later generation has replaced.
create index connection_events_refreshes on gateway.connection_events (recorded_at)
  where event->>'type' = 'NotionIntegrationTokenRefreshed';
create index connection_events_sealed on gateway.connection_events (stream, version)
  where event->'credential'->>'sealed' <> '';
