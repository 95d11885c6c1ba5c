module.exports=[36056,s=>{"use strict";s.s([])}];

//# sourceMappingURL=1no0_server_app_api_spaces_%5BspaceId%5D_conversations_route_actions_0qz6cy_ps3_dl.js.map