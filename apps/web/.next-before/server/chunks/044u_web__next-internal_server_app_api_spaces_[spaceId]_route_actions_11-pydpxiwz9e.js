module.exports=[39835,s=>{"use strict";s.s([])}];

//# sourceMappingURL=044u_web__next-internal_server_app_api_spaces_%5BspaceId%5D_route_actions_11-pydpxiwz9e.js.map