module.exports=[36043,s=>{"use strict";s.s([])}];

//# sourceMappingURL=1no0_server_app_api_spaces_%5BspaceId%5D_tool-calls_route_actions_113vu6nlrtg-j.js.map