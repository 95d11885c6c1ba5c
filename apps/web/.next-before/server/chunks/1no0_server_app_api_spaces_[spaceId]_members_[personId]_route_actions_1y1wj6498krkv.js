module.exports=[67403,s=>{"use strict";s.s([])}];

//# sourceMappingURL=1no0_server_app_api_spaces_%5BspaceId%5D_members_%5BpersonId%5D_route_actions_1y1wj6498krkv.js.map