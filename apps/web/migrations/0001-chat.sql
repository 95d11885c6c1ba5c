-- Oldest release that can run on it: 1
-- Chat. Messages are the AI SDK's UI messages; `format` says in which version of our own conventions their parts are written.

create table web.conversation (
  id             uuid primary key,
  space_id       uuid not null references web.organization (id) on delete cascade,
  owner_id       uuid not null references web."user" (id) on delete cascade,
  title          text not null,
  titled_by      text not null default 'start' check (titled_by in ('start', 'model', 'person')),
  visibility     text not null default 'private' check (visibility in ('private', 'space')),
  model          text,
  always_allowed text[] not null default '{}',
  created_at     timestamptz not null default now(),
  updated_at     timestamptz not null default now()
);
create index conversation_of_owner on web.conversation (space_id, owner_id, updated_at desc, id desc);
create index conversation_of_space on web.conversation (space_id, updated_at desc, id desc) where visibility = 'space';

create table web.chat_message (
  conversation_id uuid not null references web.conversation (id) on delete cascade,
  position        integer not null,
  id              text not null,
  role            text not null check (role in ('user', 'assistant')),
  format          smallint not null,
  parts           jsonb not null,
  metadata        jsonb not null default '{}',
  words           tsvector not null,
  created_at      timestamptz not null default now(),
  primary key (conversation_id, position)
);
create index chat_message_words on web.chat_message using gin (words);

-- An answer that is being written, or was written just now. One conversation has at most one that has not ended.
create table web.chat_answer (
  id              uuid primary key,
  conversation_id uuid not null references web.conversation (id) on delete cascade,
  message_id      text not null,
  person_id       uuid not null references web."user" (id) on delete cascade,
  stop_requested  boolean not null default false,
  alive_at        timestamptz not null default now(),
  ended_at        timestamptz
);
create unique index chat_answer_in_progress on web.chat_answer (conversation_id) where ended_at is null;
create index chat_answer_ended on web.chat_answer (ended_at) where ended_at is not null;

-- What the answer consists of so far, for readers on other replicas, and for picking up what a replica that died leaves behind.
create table web.chat_answer_chunk (
  answer_id uuid not null references web.chat_answer (id) on delete cascade,
  position  integer not null,
  chunks    jsonb not null,
  primary key (answer_id, position)
);

-- The last calls that each person made by hand on the tools page.
create table web.tool_call (
  id         uuid primary key,
  space_id   uuid not null references web.organization (id) on delete cascade,
  person_id  uuid not null references web."user" (id) on delete cascade,
  tool       text not null,
  arguments  jsonb not null,
  outcome    text not null check (outcome in ('ok', 'error', 'failed', 'cancelled')),
  took_ms    integer not null,
  called_at  timestamptz not null default now()
);
create index tool_call_of_person on web.tool_call (space_id, person_id, called_at desc, id desc);
