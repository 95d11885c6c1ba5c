module.exports=[48041,s=>{"use strict";s.s([])}];

//# sourceMappingURL=044u_web__next-internal_server_app_api_account_sessions_route_actions_1m2-ueqk_w9ea.js.map