module.exports=[42761,s=>{"use strict";s.s([])}];

//# sourceMappingURL=044u_web__next-internal_server_app_api_notion_waiting_route_actions_0-5nrogyhvn2z.js.map