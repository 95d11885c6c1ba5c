module.exports=[70848,s=>{"use strict";s.s([])}];

//# sourceMappingURL=1no0_server_app_api_spaces_%5BspaceId%5D_handover_route_actions_209hp8pe2itzx.js.map