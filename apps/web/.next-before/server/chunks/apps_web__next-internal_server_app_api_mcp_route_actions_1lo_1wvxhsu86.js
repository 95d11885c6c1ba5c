module.exports=[7875,s=>{"use strict";s.s([])}];

//# sourceMappingURL=apps_web__next-internal_server_app_api_mcp_route_actions_1lo_1wvxhsu86.js.map