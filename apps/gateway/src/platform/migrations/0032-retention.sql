-- Oldest release that can run on it: 1
-- For the sweep: refreshes by age, and sealed credentials of replaced generations.
create index connection_events_refreshes on gateway.connection_events (recorded_at)
  where event->>'type' = 'NotionIntegrationTokenRefreshed';
create index connection_events_sealed on gateway.connection_events (stream, version)
  where event->'credential'->>'sealed' <> '';
