module.exports=[96087,s=>{"use strict";s.s([])}];

//# sourceMappingURL=apps_web__next-internal_server_app_api_spaces_route_actions_1ki609g756bn_.js.map