module.exports=[50821,s=>{"use strict";s.s([])}];

//# sourceMappingURL=0gy1__next-internal_server_app_api_spaces_%5BspaceId%5D_keys_route_actions_1clv2llg3-auh.js.map