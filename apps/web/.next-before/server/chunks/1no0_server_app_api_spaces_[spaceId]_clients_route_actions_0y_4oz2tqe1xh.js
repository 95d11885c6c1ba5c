module.exports=[58478,s=>{"use strict";s.s([])}];

//# sourceMappingURL=1no0_server_app_api_spaces_%5BspaceId%5D_clients_route_actions_0y_4oz2tqe1xh.js.map