-- A database as release 0.1 wrote it, with two clients that are logged in: a public one, and one with a secret. See upgrade.test.ts.
create schema if not exists web;
create table web."account" (
  "id" uuid not null default gen_random_uuid(),
  "accountId" text not null,
  "providerId" text not null,
  "userId" uuid not null,
  "accessToken" text,
  "refreshToken" text,
  "idToken" text,
  "accessTokenExpiresAt" timestamp with time zone,
  "refreshTokenExpiresAt" timestamp with time zone,
  "scope" text,
  "password" text,
  "createdAt" timestamp with time zone not null default CURRENT_TIMESTAMP,
  "updatedAt" timestamp with time zone not null
);
create table web."chat_answer" (
  "id" uuid not null,
  "conversation_id" uuid not null,
  "message_id" text not null,
  "person_id" uuid not null,
  "stop_requested" boolean not null default false,
  "alive_at" timestamp with time zone not null default now(),
  "ended_at" timestamp with time zone
);
create table web."chat_answer_chunk" (
  "answer_id" uuid not null,
  "position" integer not null,
  "chunks" jsonb not null
);
create table web."chat_message" (
  "conversation_id" uuid not null,
  "position" integer not null,
  "id" text not null,
  "role" text not null,
  "format" smallint not null,
  "parts" jsonb not null,
  "metadata" jsonb not null default '{}'::jsonb,
  "words" tsvector not null,
  "created_at" timestamp with time zone not null default now()
);
create table web."client_document" (
  "client_id" text not null,
  "fetched_at" timestamp with time zone not null,
  "fresh_until" timestamp with time zone not null
);
create table web."conversation" (
  "id" uuid not null,
  "space_id" uuid not null,
  "owner_id" uuid not null,
  "title" text not null,
  "titled_by" text not null default 'start'::text,
  "visibility" text not null default 'private'::text,
  "model" text,
  "always_allowed" text[] not null default '{}'::text[],
  "created_at" timestamp with time zone not null default now(),
  "updated_at" timestamp with time zone not null default now()
);
create table web."ended_access" (
  "id" bigint generated always as identity not null,
  "space_id" uuid not null,
  "user_id" uuid not null,
  "client_id" text,
  "ended_at" timestamp with time zone not null default now()
);
create table web."invitation" (
  "id" uuid not null default gen_random_uuid(),
  "organizationId" uuid not null,
  "email" text not null,
  "role" text,
  "status" text not null,
  "expiresAt" timestamp with time zone not null,
  "createdAt" timestamp with time zone not null default CURRENT_TIMESTAMP,
  "inviterId" uuid not null
);
create table web."jwks" (
  "id" uuid not null default gen_random_uuid(),
  "publicKey" text not null,
  "privateKey" text not null,
  "createdAt" timestamp with time zone not null,
  "expiresAt" timestamp with time zone,
  "alg" text,
  "crv" text
);
create table web."member" (
  "id" uuid not null default gen_random_uuid(),
  "organizationId" uuid not null,
  "userId" uuid not null,
  "role" text not null,
  "createdAt" timestamp with time zone not null
);
create table web."migrations" (
  "name" text not null,
  "applied_at" timestamp with time zone not null default now()
);
create table web."oauthAccessToken" (
  "id" uuid not null default gen_random_uuid(),
  "token" text not null,
  "clientId" text not null,
  "sessionId" uuid,
  "userId" uuid,
  "referenceId" text,
  "authorizationCodeId" text,
  "resources" jsonb,
  "requestedUserInfoClaims" jsonb,
  "refreshId" uuid,
  "expiresAt" timestamp with time zone not null,
  "createdAt" timestamp with time zone not null,
  "revoked" timestamp with time zone,
  "confirmation" jsonb,
  "scopes" jsonb not null
);
create table web."oauthClient" (
  "id" uuid not null default gen_random_uuid(),
  "clientId" text not null,
  "clientSecret" text,
  "clientDiscoveryId" text,
  "disabled" boolean,
  "skipConsent" boolean,
  "enableEndSession" boolean,
  "subjectType" text,
  "scopes" jsonb,
  "clientCredentialsScopes" jsonb,
  "userId" uuid,
  "createdAt" timestamp with time zone,
  "updatedAt" timestamp with time zone,
  "name" text,
  "uri" text,
  "icon" text,
  "contacts" jsonb,
  "tos" text,
  "policy" text,
  "softwareId" text,
  "softwareVersion" text,
  "softwareStatement" text,
  "redirectUris" jsonb not null,
  "postLogoutRedirectUris" jsonb,
  "backchannelLogoutUri" text,
  "backchannelLogoutSessionRequired" boolean,
  "tokenEndpointAuthMethod" text,
  "applicationType" text,
  "jwks" text,
  "jwksUri" text,
  "grantTypes" jsonb,
  "responseTypes" jsonb,
  "requirePKCE" boolean,
  "dpopBoundAccessTokens" boolean,
  "referenceId" text,
  "metadata" jsonb
);
create table web."oauthClientAssertion" (
  "id" uuid not null default gen_random_uuid(),
  "expiresAt" timestamp with time zone not null
);
create table web."oauthClientResource" (
  "id" uuid not null default gen_random_uuid(),
  "clientId" text not null,
  "resourceId" text not null,
  "metadata" jsonb,
  "createdAt" timestamp with time zone
);
create table web."oauthConsent" (
  "id" uuid not null default gen_random_uuid(),
  "clientId" text not null,
  "userId" uuid,
  "referenceId" text,
  "resources" jsonb,
  "requestedUserInfoClaims" jsonb,
  "scopes" jsonb not null,
  "createdAt" timestamp with time zone not null,
  "updatedAt" timestamp with time zone not null
);
create table web."oauthRefreshToken" (
  "id" uuid not null default gen_random_uuid(),
  "token" text not null,
  "clientId" text not null,
  "sessionId" uuid,
  "userId" uuid not null,
  "referenceId" text,
  "authorizationCodeId" text,
  "resources" jsonb,
  "requestedUserInfoClaims" jsonb,
  "expiresAt" timestamp with time zone not null,
  "createdAt" timestamp with time zone not null,
  "revoked" timestamp with time zone,
  "rotatedAt" timestamp with time zone,
  "rotationReplayResponse" text,
  "rotationReplayExpiresAt" timestamp with time zone,
  "authTime" timestamp with time zone,
  "confirmation" jsonb,
  "scopes" jsonb not null
);
create table web."oauthResource" (
  "id" uuid not null default gen_random_uuid(),
  "identifier" text not null,
  "name" text not null,
  "accessTokenTtl" integer,
  "refreshTokenTtl" integer,
  "signingAlgorithm" text,
  "signingKeyId" text,
  "allowedScopes" jsonb,
  "customClaims" jsonb,
  "dpopBoundAccessTokensRequired" boolean,
  "disabled" boolean,
  "createdAt" timestamp with time zone,
  "updatedAt" timestamp with time zone,
  "policyVersion" integer,
  "metadata" jsonb
);
create table web."organization" (
  "id" uuid not null default gen_random_uuid(),
  "name" text not null,
  "slug" text not null,
  "logo" text,
  "createdAt" timestamp with time zone not null,
  "metadata" text
);
create table web."session" (
  "id" uuid not null default gen_random_uuid(),
  "expiresAt" timestamp with time zone not null,
  "token" text not null,
  "createdAt" timestamp with time zone not null default CURRENT_TIMESTAMP,
  "updatedAt" timestamp with time zone not null,
  "ipAddress" text,
  "userAgent" text,
  "userId" uuid not null,
  "activeOrganizationId" text
);
create table web."space_invitation" (
  "id" uuid not null,
  "space_id" uuid not null,
  "role" text not null,
  "email" text,
  "secret_hash" bytea not null,
  "invited_by" uuid not null,
  "created_at" timestamp with time zone not null default now(),
  "expires_at" timestamp with time zone not null
);
create table web."tool_call" (
  "id" uuid not null,
  "space_id" uuid not null,
  "person_id" uuid not null,
  "tool" text not null,
  "arguments" jsonb not null,
  "outcome" text not null,
  "took_ms" integer not null,
  "called_at" timestamp with time zone not null default now()
);
create table web."user" (
  "id" uuid not null default gen_random_uuid(),
  "name" text not null,
  "email" text not null,
  "emailVerified" boolean not null,
  "image" text,
  "createdAt" timestamp with time zone not null default CURRENT_TIMESTAMP,
  "updatedAt" timestamp with time zone not null default CURRENT_TIMESTAMP
);
create table web."verification" (
  "id" uuid not null default gen_random_uuid(),
  "identifier" text not null,
  "value" text not null,
  "expiresAt" timestamp with time zone not null,
  "createdAt" timestamp with time zone not null default CURRENT_TIMESTAMP,
  "updatedAt" timestamp with time zone not null default CURRENT_TIMESTAMP
);
insert into web."account" overriding system value select * from jsonb_populate_record(null::web."account", '{"id": "71298d95-60c1-4b0f-a7b2-98f494cff184", "scope": null, "userId": "b7b8ae9c-d9de-4db3-ab16-29a05174ad52", "idToken": null, "password": "8993b29424afc69e70d5f08e4cf1b691:64c0b6ec03a3958c8812d9f4e0f9982ce044e7e99e2befa7e21952f0df4f24d4e8b01a17f8b20c8fe089ab1394b84c849ebefbff02338058a6100699e28869ea", "accountId": "b7b8ae9c-d9de-4db3-ab16-29a05174ad52", "createdAt": "2026-11-29T18:07:39.046+00:00", "updatedAt": "2026-11-29T18:07:39.046+00:00", "providerId": "credential", "accessToken": null, "refreshToken": null, "accessTokenExpiresAt": null, "refreshTokenExpiresAt": null}');
insert into web."jwks" overriding system value select * from jsonb_populate_record(null::web."jwks", '{"id": "a0f5b47f-5cb3-4333-8ec9-c65c0f53e042", "alg": "EdDSA", "crv": "Ed25519", "createdAt": "2026-11-29T18:07:39.616+00:00", "expiresAt": null, "publicKey": "{\"crv\":\"Ed25519\",\"x\":\"xgnVN02AexCBnaRC3IhLTVGgk74hV44tSDc5tXeXjPI\",\"kty\":\"OKP\"}", "privateKey": "\"165a82ef8c2444fd89d620301574aac18f7b5b39d8072cd60555bbe03d67d77b380e4a6b5b52e8d400f9647d60d0c6b4e83838a1be527a6dbf43d167a984e46bb23a784fe273f054d662e0f69077a792675b3e585a7b40d29c6ece3382a017656bbf5bb29f53adb76acc8337e8b1de24f2c9f449124f2b0908f1c3f835fbcfe9c6e91b73b51d1c91bae314eccc9b3d515a7b1e41bf743c3677237a767c3db5ad2f6dd3d052aafb007b\""}');
insert into web."member" overriding system value select * from jsonb_populate_record(null::web."member", '{"id": "c0e594dd-4ccb-47fc-a5f9-1792d5485d73", "role": "owner", "userId": "b7b8ae9c-d9de-4db3-ab16-29a05174ad52", "createdAt": "2026-11-29T18:07:39.052+00:00", "organizationId": "06129497-6f47-49d5-bc6c-b492a691053d"}');
insert into web."migrations" overriding system value select * from jsonb_populate_record(null::web."migrations", '{"name": "0001-chat.sql", "applied_at": "2026-11-29T18:07:36.518877+00:00"}');
insert into web."migrations" overriding system value select * from jsonb_populate_record(null::web."migrations", '{"name": "0002-client-access.sql", "applied_at": "2026-11-29T18:07:36.571687+00:00"}');
insert into web."migrations" overriding system value select * from jsonb_populate_record(null::web."migrations", '{"name": "0003-people.sql", "applied_at": "2026-11-29T18:07:36.586751+00:00"}');
insert into web."migrations" overriding system value select * from jsonb_populate_record(null::web."migrations", '{"name": "0004-client-documents.sql", "applied_at": "2026-11-29T18:07:36.600487+00:00"}');
insert into web."oauthClient" overriding system value select * from jsonb_populate_record(null::web."oauthClient", '{"id": "1a0d2b40-9934-461b-aae2-7232d9973eb0", "tos": null, "uri": null, "icon": null, "jwks": null, "name": "Public client", "policy": null, "scopes": ["notion:read", "notion:write", "offline_access"], "userId": null, "jwksUri": null, "clientId": "tHVyLjIZVrxkp7IlSiqLkfFcNd_oYgMH", "contacts": null, "disabled": false, "metadata": null, "createdAt": "2026-11-29T18:07:39.453+00:00", "updatedAt": "2026-11-29T18:07:39.453+00:00", "grantTypes": ["authorization_code", "refresh_token"], "softwareId": null, "referenceId": null, "requirePKCE": true, "skipConsent": null, "subjectType": null, "clientSecret": null, "redirectUris": ["http://127.0.0.1:33418/callback"], "responseTypes": ["code"], "applicationType": "native", "softwareVersion": null, "enableEndSession": null, "clientDiscoveryId": null, "softwareStatement": null, "backchannelLogoutUri": null, "dpopBoundAccessTokens": false, "postLogoutRedirectUris": null, "clientCredentialsScopes": [], "tokenEndpointAuthMethod": "none", "backchannelLogoutSessionRequired": null}');
insert into web."oauthClient" overriding system value select * from jsonb_populate_record(null::web."oauthClient", '{"id": "d24be70c-83cf-4dfd-8b48-58974678f465", "tos": null, "uri": null, "icon": null, "jwks": null, "name": "Client with a secret", "policy": null, "scopes": ["notion:read", "notion:write", "offline_access"], "userId": null, "jwksUri": null, "clientId": "qi1Q3Be5-D5whx8dAVHvfq8SQlc2_p9o", "contacts": null, "disabled": false, "metadata": null, "createdAt": "2026-11-29T18:07:39.768+00:00", "updatedAt": "2026-11-29T18:07:39.768+00:00", "grantTypes": ["authorization_code", "refresh_token"], "softwareId": null, "referenceId": null, "requirePKCE": true, "skipConsent": null, "subjectType": null, "clientSecret": "gjPszcZlNij0KGW3Aer7R4lSQU9KswnAGU0BAI1vzqs", "redirectUris": ["https://client.test/callback"], "responseTypes": ["code"], "applicationType": "web", "softwareVersion": null, "enableEndSession": null, "clientDiscoveryId": null, "softwareStatement": null, "backchannelLogoutUri": null, "dpopBoundAccessTokens": false, "postLogoutRedirectUris": null, "clientCredentialsScopes": [], "tokenEndpointAuthMethod": "client_secret_basic", "backchannelLogoutSessionRequired": null}');
insert into web."oauthConsent" overriding system value select * from jsonb_populate_record(null::web."oauthConsent", '{"id": "09138626-6193-472b-91e2-330a45ca9cb6", "scopes": ["notion:read", "notion:write", "offline_access"], "userId": "b7b8ae9c-d9de-4db3-ab16-29a05174ad52", "clientId": "tHVyLjIZVrxkp7IlSiqLkfFcNd_oYgMH", "createdAt": "2026-11-29T18:07:39+00:00", "resources": ["https://gateway.test/mcp/notion/spaces/06129497-6f47-49d5-bc6c-b492a691053d"], "updatedAt": "2026-11-29T18:07:39+00:00", "referenceId": "06129497-6f47-49d5-bc6c-b492a691053d", "requestedUserInfoClaims": []}');
insert into web."oauthConsent" overriding system value select * from jsonb_populate_record(null::web."oauthConsent", '{"id": "336211be-f88b-4ff9-8bb8-655d28636ae2", "scopes": ["notion:read", "offline_access"], "userId": "b7b8ae9c-d9de-4db3-ab16-29a05174ad52", "clientId": "qi1Q3Be5-D5whx8dAVHvfq8SQlc2_p9o", "createdAt": "2026-11-29T18:07:40+00:00", "resources": ["https://gateway.test/mcp/notion/spaces/06129497-6f47-49d5-bc6c-b492a691053d"], "updatedAt": "2026-11-29T18:07:40+00:00", "referenceId": "06129497-6f47-49d5-bc6c-b492a691053d", "requestedUserInfoClaims": []}');
insert into web."oauthRefreshToken" overriding system value select * from jsonb_populate_record(null::web."oauthRefreshToken", '{"id": "fa00ffca-5241-47fd-97ce-c12d1db3ae41", "token": "Pfe4T_MLssaNytG73WG2CSLRSDIO2I8JdLeYNLHzXts", "scopes": ["notion:read", "notion:write", "offline_access"], "userId": "b7b8ae9c-d9de-4db3-ab16-29a05174ad52", "revoked": null, "authTime": "2026-11-29T18:07:39.049+00:00", "clientId": "tHVyLjIZVrxkp7IlSiqLkfFcNd_oYgMH", "createdAt": "2026-11-29T18:07:39+00:00", "expiresAt": "2027-02-27T18:07:39+00:00", "resources": ["https://gateway.test/mcp/notion/spaces/06129497-6f47-49d5-bc6c-b492a691053d"], "rotatedAt": null, "sessionId": "24b23d53-2361-4ec8-9b73-2ec78c10750d", "referenceId": "06129497-6f47-49d5-bc6c-b492a691053d", "confirmation": null, "authorizationCodeId": "vEh-oZH2TesB4rhHUPFlzsaXCIvmEtGTMEOiUfo-Yc8", "rotationReplayResponse": null, "requestedUserInfoClaims": null, "rotationReplayExpiresAt": null}');
insert into web."oauthRefreshToken" overriding system value select * from jsonb_populate_record(null::web."oauthRefreshToken", '{"id": "434527ad-997d-4146-988a-09a085e6dcb6", "token": "liak9HpXW0pntCndWeVmv0D1e063LVrxAEkDpEBR9WU", "scopes": ["notion:read", "notion:write", "offline_access"], "userId": "b7b8ae9c-d9de-4db3-ab16-29a05174ad52", "revoked": "2026-11-29T18:07:39+00:00", "authTime": "2026-11-29T18:07:39.049+00:00", "clientId": "tHVyLjIZVrxkp7IlSiqLkfFcNd_oYgMH", "createdAt": "2026-11-29T18:07:39+00:00", "expiresAt": "2027-02-27T18:07:39+00:00", "resources": ["https://gateway.test/mcp/notion/spaces/06129497-6f47-49d5-bc6c-b492a691053d"], "rotatedAt": "2026-11-29T18:07:39+00:00", "sessionId": "24b23d53-2361-4ec8-9b73-2ec78c10750d", "referenceId": "06129497-6f47-49d5-bc6c-b492a691053d", "confirmation": null, "authorizationCodeId": "vEh-oZH2TesB4rhHUPFlzsaXCIvmEtGTMEOiUfo-Yc8", "rotationReplayResponse": "90c730e8f6a336df4ae0f0ef324a65a53379f8d54711a8ba060948c76e62b5b0c2c8da28ff422d06abf2f16f8b60bffeae37327c5ed8176b3da632532ad34efc219c67ffac633771e61e0012e243838dadbf047e285a49244270875375a9fc3c641373a7f39010b418e20820710dd445d4c938b58ad682b9fdf31e2a0bd07d6414a52bc72875e434767f00414ee09b404218cc5002b6067fb6c8f4245607194f13e574fbc7a1b29461e3c5ce1a754b5b5bd27db83e1345ce67e0eebb83ac777e1eed2d606d0acd82b6b56ecd547302a970ee67b1d512b7ab8c0d0e1de1b4851a5f2dbbcf5f95fa8389492373f85390473ee5a6019a33bf319fcbc3dd855af9cdc3503b32d1ef8717da3d5a339cc84a4913afa3099ffe98a7ff52581f62c120943598d20b96970e82d6afa7ab7de19b6409b0026c0833998a536e8404760b87f0d7e467fb28bd1e306cf01bbff7cf9c52873b509f7ce7899ba698b2eedc5e42cbbd5026ace0cbe93989224aea7f05d370ac62ef127498d19b3d9d31ceb745b0e0d63952a50139da118844303b1f0bfe945c9c66ec897e1a70cda5d90db52d1faf769f36b94239473c0ebf3a7a195655fd9f52929d4be35a7e324cb282d5de90e7700b6c362314a0f35a14e868a5a8235ee50df5d96251b3894927f5a4465c86fbbc40e87056acbbab28e02d6ef411eba96cc3549a711b448cfba0b4ee9627b01e6135e847bda88ecf6141aba592a0493eb96ceed59a4b065660f01d18e3c8eeb995fe183bf314beedfdacc746c14067a06a33a674696ec899932e70a8aedf87a7d1f1bb9d4fd92dff6782bb0084eeec141fd452c36e162778791aff1d80d742da4a8c539713643b9546da8780d84d41a1c8018d1d518bcd0889902f5602135db2ad022fd9ccd2eaa932eb82fc23602b51f3fcb2abcd02c81d5dbe646e250398fac2ba3f1abe407c08be8d7ca560028c9d29b7a3aeae96776caf831e7d7a3505b148b345111ca887820eb98fbc92a531a28e04f78d64ef9d0b2a2d707000fc02ed1a403c56e34cc43324a4eb6058e64606ba083abb8542d29cc038cf982d43f89b7c8c61a90b6ebaf2e3ca9559eed631b95b573812b6270749ec34d7f23dd18596b67fc2c7d0b35b5dca2bfcacbf7170fe37b5e0b682b519634db6a5aa8dd8489cb5a05281b37cd5b2731ade04de10bb8b7b74992638dd491fbfb3baee6edcc1630af7d9fd6df027a949769e81a1662eb64b12be3eaa463d979375a539a41b9a15b7f50b47aacbcbfab0166fd47e0afaaeccad84235ab2bfdde06e71988c06731b27ef7012b87b48b67d7601359d56c7ac1589e89f83094e3ddc0e6b82d70a660b3736b1933af7f9ae5efe9b0bc3fa173dd002b435bce8bd212b98d2e6cd9c88d4ccebbf15936b949591e273e1bab7af98b3cc87e82d63334cd22ac18c577e91d136840d7b13d170033d89d5ca15236087c03fc776db43794925d2a33b830a1d20242c6fd2b2b4a9fd7d73881f950ab565728a1f03169927a577d25c3bd2c1b59603a58988c86c1a2c56f7c81ba5d0c39bbd60a333775f24c5baf7e963ca0b262b9e4413515d243ee34f416fc6b815d33a76d1a20e635cd632894cdf292c81e363148ecb148e45fb30a97693f3c98c9f6b310cc1b9729e8b561663aca1292afa272598e0e48630872891a3ad2cac8ae2f2a7e4e39d61a252094a2fde40774e6b31f7443cf6bbe9ba182d260f07c1ddf8196d3d751d65c5c656b1", "requestedUserInfoClaims": null, "rotationReplayExpiresAt": "2026-11-29T18:08:39+00:00"}');
insert into web."oauthRefreshToken" overriding system value select * from jsonb_populate_record(null::web."oauthRefreshToken", '{"id": "de225c2a-cdd7-4fe7-91ce-121d0f57217f", "token": "riJImAX-89f3rkwuPIhjq9nsQRVhYhp_nUkdmhw7hqY", "scopes": ["notion:read", "offline_access"], "userId": "b7b8ae9c-d9de-4db3-ab16-29a05174ad52", "revoked": null, "authTime": "2026-11-29T18:07:39.049+00:00", "clientId": "qi1Q3Be5-D5whx8dAVHvfq8SQlc2_p9o", "createdAt": "2026-11-29T18:07:40+00:00", "expiresAt": "2027-02-27T18:07:40+00:00", "resources": ["https://gateway.test/mcp/notion/spaces/06129497-6f47-49d5-bc6c-b492a691053d"], "rotatedAt": null, "sessionId": "24b23d53-2361-4ec8-9b73-2ec78c10750d", "referenceId": "06129497-6f47-49d5-bc6c-b492a691053d", "confirmation": null, "authorizationCodeId": "1dzVWJjCDkAulQeD_bJ6SY9FjvV3ThlHruH7qmu5Zqs", "rotationReplayResponse": null, "requestedUserInfoClaims": null, "rotationReplayExpiresAt": null}');
insert into web."oauthResource" overriding system value select * from jsonb_populate_record(null::web."oauthResource", '{"id": "771d0ae7-dfc4-40bb-a973-09b5b62ec9ba", "name": "https://gateway.test/mcp/notion/proxy", "disabled": false, "metadata": null, "createdAt": "2026-11-29T18:07:36.761+00:00", "updatedAt": "2026-11-29T18:07:36.761+00:00", "identifier": "https://gateway.test/mcp/notion/proxy", "customClaims": null, "signingKeyId": null, "allowedScopes": null, "policyVersion": 1, "accessTokenTtl": null, "refreshTokenTtl": null, "signingAlgorithm": null, "dpopBoundAccessTokensRequired": false}');
insert into web."oauthResource" overriding system value select * from jsonb_populate_record(null::web."oauthResource", '{"id": "93063da7-3a1f-4d04-a982-6f54dfc01905", "name": "https://gateway.test/mcp/notion/spaces/06129497-6f47-49d5-bc6c-b492a691053d", "disabled": null, "metadata": null, "createdAt": "2026-11-29T18:07:39.477542+00:00", "updatedAt": "2026-11-29T18:07:39.477542+00:00", "identifier": "https://gateway.test/mcp/notion/spaces/06129497-6f47-49d5-bc6c-b492a691053d", "customClaims": null, "signingKeyId": null, "allowedScopes": null, "policyVersion": null, "accessTokenTtl": null, "refreshTokenTtl": null, "signingAlgorithm": null, "dpopBoundAccessTokensRequired": null}');
insert into web."organization" overriding system value select * from jsonb_populate_record(null::web."organization", '{"id": "06129497-6f47-49d5-bc6c-b492a691053d", "logo": null, "name": "Ada''s space", "slug": "space-f07093f3-7027-4c97-81b9-729798a689f1", "metadata": null, "createdAt": "2026-11-29T18:07:39.052+00:00"}');
insert into web."session" overriding system value select * from jsonb_populate_record(null::web."session", '{"id": "24b23d53-2361-4ec8-9b73-2ec78c10750d", "token": "iarWIfnzyauGWffsFozNbfC28G1TwLjL", "userId": "b7b8ae9c-d9de-4db3-ab16-29a05174ad52", "createdAt": "2026-11-29T18:07:39.049+00:00", "expiresAt": "2026-12-06T18:07:39.049+00:00", "ipAddress": "127.0.0.1", "updatedAt": "2026-11-29T18:07:39.049+00:00", "userAgent": "node", "activeOrganizationId": "06129497-6f47-49d5-bc6c-b492a691053d"}');
insert into web."user" overriding system value select * from jsonb_populate_record(null::web."user", '{"id": "b7b8ae9c-d9de-4db3-ab16-29a05174ad52", "name": "Ada", "email": "ada@north.test", "image": null, "createdAt": "2026-11-29T18:07:39.044+00:00", "updatedAt": "2026-11-29T18:07:39.044+00:00", "emailVerified": false}');
alter table web."user" add constraint "user_email_key" UNIQUE (email);
alter table web."session" add constraint "session_token_key" UNIQUE (token);
alter table web."organization" add constraint "organization_slug_key" UNIQUE (slug);
alter table web."oauthClient" add constraint "oauthClient_clientId_key" UNIQUE ("clientId");
alter table web."oauthResource" add constraint "oauthResource_identifier_key" UNIQUE (identifier);
alter table web."oauthRefreshToken" add constraint "oauthRefreshToken_token_key" UNIQUE (token);
alter table web."oauthAccessToken" add constraint "oauthAccessToken_token_key" UNIQUE (token);
alter table web."space_invitation" add constraint "space_invitation_secret_hash_key" UNIQUE (secret_hash);
alter table web."space_invitation" add constraint "space_invitation_pkey" PRIMARY KEY (id);
alter table web."member" add constraint "member_pkey" PRIMARY KEY (id);
alter table web."jwks" add constraint "jwks_pkey" PRIMARY KEY (id);
alter table web."session" add constraint "session_pkey" PRIMARY KEY (id);
alter table web."account" add constraint "account_pkey" PRIMARY KEY (id);
alter table web."verification" add constraint "verification_pkey" PRIMARY KEY (id);
alter table web."invitation" add constraint "invitation_pkey" PRIMARY KEY (id);
alter table web."organization" add constraint "organization_pkey" PRIMARY KEY (id);
alter table web."oauthClient" add constraint "oauthClient_pkey" PRIMARY KEY (id);
alter table web."oauthClientResource" add constraint "oauthClientResource_pkey" PRIMARY KEY (id);
alter table web."tool_call" add constraint "tool_call_pkey" PRIMARY KEY (id);
alter table web."oauthResource" add constraint "oauthResource_pkey" PRIMARY KEY (id);
alter table web."oauthRefreshToken" add constraint "oauthRefreshToken_pkey" PRIMARY KEY (id);
alter table web."ended_access" add constraint "ended_access_pkey" PRIMARY KEY (id);
alter table web."oauthAccessToken" add constraint "oauthAccessToken_pkey" PRIMARY KEY (id);
alter table web."oauthConsent" add constraint "oauthConsent_pkey" PRIMARY KEY (id);
alter table web."oauthClientAssertion" add constraint "oauthClientAssertion_pkey" PRIMARY KEY (id);
alter table web."migrations" add constraint "migrations_pkey" PRIMARY KEY (name);
alter table web."conversation" add constraint "conversation_pkey" PRIMARY KEY (id);
alter table web."chat_message" add constraint "chat_message_pkey" PRIMARY KEY (conversation_id, "position");
alter table web."chat_answer" add constraint "chat_answer_pkey" PRIMARY KEY (id);
alter table web."chat_answer_chunk" add constraint "chat_answer_chunk_pkey" PRIMARY KEY (answer_id, "position");
alter table web."user" add constraint "user_pkey" PRIMARY KEY (id);
alter table web."client_document" add constraint "client_document_pkey" PRIMARY KEY (client_id);
alter table web."space_invitation" add constraint "space_invitation_role_check" CHECK ((role = ANY (ARRAY['admin'::text, 'member'::text])));
alter table web."tool_call" add constraint "tool_call_outcome_check" CHECK ((outcome = ANY (ARRAY['ok'::text, 'error'::text, 'failed'::text, 'cancelled'::text])));
alter table web."chat_message" add constraint "chat_message_role_check" CHECK ((role = ANY (ARRAY['user'::text, 'assistant'::text])));
alter table web."conversation" add constraint "conversation_visibility_check" CHECK ((visibility = ANY (ARRAY['private'::text, 'space'::text])));
alter table web."conversation" add constraint "conversation_titled_by_check" CHECK ((titled_by = ANY (ARRAY['start'::text, 'model'::text, 'person'::text])));
alter table web."session" add constraint "session_userId_fkey" FOREIGN KEY ("userId") REFERENCES web."user"(id) ON DELETE CASCADE;
alter table web."account" add constraint "account_userId_fkey" FOREIGN KEY ("userId") REFERENCES web."user"(id) ON DELETE CASCADE;
alter table web."member" add constraint "member_organizationId_fkey" FOREIGN KEY ("organizationId") REFERENCES web.organization(id) ON DELETE CASCADE;
alter table web."member" add constraint "member_userId_fkey" FOREIGN KEY ("userId") REFERENCES web."user"(id) ON DELETE CASCADE;
alter table web."invitation" add constraint "invitation_organizationId_fkey" FOREIGN KEY ("organizationId") REFERENCES web.organization(id) ON DELETE CASCADE;
alter table web."invitation" add constraint "invitation_inviterId_fkey" FOREIGN KEY ("inviterId") REFERENCES web."user"(id) ON DELETE CASCADE;
alter table web."oauthClient" add constraint "oauthClient_userId_fkey" FOREIGN KEY ("userId") REFERENCES web."user"(id) ON DELETE CASCADE;
alter table web."oauthClientResource" add constraint "oauthClientResource_clientId_fkey" FOREIGN KEY ("clientId") REFERENCES web."oauthClient"("clientId") ON DELETE CASCADE;
alter table web."oauthClientResource" add constraint "oauthClientResource_resourceId_fkey" FOREIGN KEY ("resourceId") REFERENCES web."oauthResource"(identifier) ON DELETE CASCADE;
alter table web."oauthRefreshToken" add constraint "oauthRefreshToken_clientId_fkey" FOREIGN KEY ("clientId") REFERENCES web."oauthClient"("clientId") ON DELETE CASCADE;
alter table web."oauthRefreshToken" add constraint "oauthRefreshToken_sessionId_fkey" FOREIGN KEY ("sessionId") REFERENCES web.session(id) ON DELETE SET NULL;
alter table web."oauthRefreshToken" add constraint "oauthRefreshToken_userId_fkey" FOREIGN KEY ("userId") REFERENCES web."user"(id) ON DELETE CASCADE;
alter table web."oauthAccessToken" add constraint "oauthAccessToken_clientId_fkey" FOREIGN KEY ("clientId") REFERENCES web."oauthClient"("clientId") ON DELETE CASCADE;
alter table web."oauthAccessToken" add constraint "oauthAccessToken_sessionId_fkey" FOREIGN KEY ("sessionId") REFERENCES web.session(id) ON DELETE SET NULL;
alter table web."oauthAccessToken" add constraint "oauthAccessToken_userId_fkey" FOREIGN KEY ("userId") REFERENCES web."user"(id) ON DELETE CASCADE;
alter table web."oauthAccessToken" add constraint "oauthAccessToken_refreshId_fkey" FOREIGN KEY ("refreshId") REFERENCES web."oauthRefreshToken"(id) ON DELETE CASCADE;
alter table web."oauthConsent" add constraint "oauthConsent_clientId_fkey" FOREIGN KEY ("clientId") REFERENCES web."oauthClient"("clientId") ON DELETE CASCADE;
alter table web."oauthConsent" add constraint "oauthConsent_userId_fkey" FOREIGN KEY ("userId") REFERENCES web."user"(id) ON DELETE CASCADE;
alter table web."conversation" add constraint "conversation_space_id_fkey" FOREIGN KEY (space_id) REFERENCES web.organization(id) ON DELETE CASCADE;
alter table web."conversation" add constraint "conversation_owner_id_fkey" FOREIGN KEY (owner_id) REFERENCES web."user"(id) ON DELETE CASCADE;
alter table web."chat_message" add constraint "chat_message_conversation_id_fkey" FOREIGN KEY (conversation_id) REFERENCES web.conversation(id) ON DELETE CASCADE;
alter table web."chat_answer" add constraint "chat_answer_conversation_id_fkey" FOREIGN KEY (conversation_id) REFERENCES web.conversation(id) ON DELETE CASCADE;
alter table web."chat_answer" add constraint "chat_answer_person_id_fkey" FOREIGN KEY (person_id) REFERENCES web."user"(id) ON DELETE CASCADE;
alter table web."chat_answer_chunk" add constraint "chat_answer_chunk_answer_id_fkey" FOREIGN KEY (answer_id) REFERENCES web.chat_answer(id) ON DELETE CASCADE;
alter table web."tool_call" add constraint "tool_call_space_id_fkey" FOREIGN KEY (space_id) REFERENCES web.organization(id) ON DELETE CASCADE;
alter table web."tool_call" add constraint "tool_call_person_id_fkey" FOREIGN KEY (person_id) REFERENCES web."user"(id) ON DELETE CASCADE;
alter table web."space_invitation" add constraint "space_invitation_space_id_fkey" FOREIGN KEY (space_id) REFERENCES web.organization(id) ON DELETE CASCADE;
alter table web."space_invitation" add constraint "space_invitation_invited_by_fkey" FOREIGN KEY (invited_by) REFERENCES web."user"(id) ON DELETE CASCADE;
alter table web."client_document" add constraint "client_document_client_id_fkey" FOREIGN KEY (client_id) REFERENCES web."oauthClient"("clientId") ON DELETE CASCADE;
CREATE INDEX "oauthAccessToken_clientId_idx" ON web."oauthAccessToken" USING btree ("clientId");
CREATE INDEX "oauthClientResource_clientId_idx" ON web."oauthClientResource" USING btree ("clientId");
CREATE INDEX "member_userId_idx" ON web.member USING btree ("userId");
CREATE UNIQUE INDEX chat_answer_in_progress ON web.chat_answer USING btree (conversation_id) WHERE (ended_at IS NULL);
CREATE INDEX "oauthConsent_clientId_idx" ON web."oauthConsent" USING btree ("clientId");
CREATE INDEX "oauthRefreshToken_userId_idx" ON web."oauthRefreshToken" USING btree ("userId");
CREATE INDEX chat_message_words ON web.chat_message USING gin (words);
CREATE INDEX chat_answer_ended ON web.chat_answer USING btree (ended_at) WHERE (ended_at IS NOT NULL);
CREATE INDEX "account_userId_idx" ON web.account USING btree ("userId");
CREATE INDEX "member_organizationId_idx" ON web.member USING btree ("organizationId");
CREATE INDEX invitation_email_idx ON web.invitation USING btree (email);
CREATE INDEX "oauthAccessToken_refreshId_idx" ON web."oauthAccessToken" USING btree ("refreshId");
CREATE INDEX "invitation_organizationId_idx" ON web.invitation USING btree ("organizationId");
CREATE INDEX "oauthClient_userId_idx" ON web."oauthClient" USING btree ("userId");
CREATE INDEX "oauthAccessToken_authorizationCodeId_idx" ON web."oauthAccessToken" USING btree ("authorizationCodeId");
CREATE INDEX space_invitation_of_space ON web.space_invitation USING btree (space_id, created_at DESC);
CREATE INDEX verification_identifier_idx ON web.verification USING btree (identifier);
CREATE INDEX "session_userId_idx" ON web.session USING btree ("userId");
CREATE INDEX "oauthRefreshToken_clientId_idx" ON web."oauthRefreshToken" USING btree ("clientId");
CREATE INDEX tool_call_of_person ON web.tool_call USING btree (space_id, person_id, called_at DESC, id DESC);
CREATE INDEX conversation_of_space ON web.conversation USING btree (space_id, updated_at DESC, id DESC) WHERE (visibility = 'space'::text);
CREATE INDEX "oauthConsent_userId_idx" ON web."oauthConsent" USING btree ("userId");
CREATE INDEX "oauthRefreshToken_sessionId_idx" ON web."oauthRefreshToken" USING btree ("sessionId");
CREATE UNIQUE INDEX "oauthClientResource_clientId_resourceId_uidx" ON web."oauthClientResource" USING btree ("clientId", "resourceId");
CREATE INDEX "oauthAccessToken_userId_idx" ON web."oauthAccessToken" USING btree ("userId");
CREATE INDEX "oauthClientResource_resourceId_idx" ON web."oauthClientResource" USING btree ("resourceId");
CREATE INDEX "oauthRefreshToken_authorizationCodeId_idx" ON web."oauthRefreshToken" USING btree ("authorizationCodeId");
CREATE INDEX conversation_of_owner ON web.conversation USING btree (space_id, owner_id, updated_at DESC, id DESC);
CREATE INDEX "oauthAccessToken_sessionId_idx" ON web."oauthAccessToken" USING btree ("sessionId");
CREATE OR REPLACE FUNCTION web.end_access_of_member()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  delete from web."oauthRefreshToken"
  where "userId" = old."userId" and "referenceId" = old."organizationId"::text;
  delete from web."oauthConsent"
  where "userId" = old."userId" and "referenceId" = old."organizationId"::text;
  insert into web.ended_access (space_id, user_id) values (old."organizationId", old."userId");
  return old;
end
$function$;
CREATE TRIGGER access_ends_with_membership AFTER DELETE ON web.member FOR EACH ROW EXECUTE FUNCTION web.end_access_of_member();
