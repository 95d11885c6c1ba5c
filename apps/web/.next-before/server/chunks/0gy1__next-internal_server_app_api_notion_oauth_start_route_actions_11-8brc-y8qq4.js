module.exports=[64839,s=>{"use strict";s.s([])}];

//# sourceMappingURL=0gy1__next-internal_server_app_api_notion_oauth_start_route_actions_11-8brc-y8qq4.js.map