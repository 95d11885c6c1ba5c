module.exports=[3096,s=>{"use strict";s.s([])}];

//# sourceMappingURL=044u_web__next-internal_server_app_api_notion_history_route_actions_0bo7oa5aunzhp.js.map