module.exports=[45210,s=>{"use strict";s.s([])}];

//# sourceMappingURL=0gy1__next-internal_server_app_api_spaces_%5BspaceId%5D_chat_route_actions_0oz8gebalnm2n.js.map