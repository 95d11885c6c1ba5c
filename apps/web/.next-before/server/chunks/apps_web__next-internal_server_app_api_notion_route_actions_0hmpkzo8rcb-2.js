module.exports=[58796,s=>{"use strict";s.s([])}];

//# sourceMappingURL=apps_web__next-internal_server_app_api_notion_route_actions_0hmpkzo8rcb-2.js.map