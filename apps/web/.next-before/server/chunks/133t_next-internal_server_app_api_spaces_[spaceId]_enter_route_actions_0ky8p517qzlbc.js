module.exports=[65509,s=>{"use strict";s.s([])}];

//# sourceMappingURL=133t_next-internal_server_app_api_spaces_%5BspaceId%5D_enter_route_actions_0ky8p517qzlbc.js.map