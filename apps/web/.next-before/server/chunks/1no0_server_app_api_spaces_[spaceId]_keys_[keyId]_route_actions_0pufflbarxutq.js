module.exports=[21453,s=>{"use strict";s.s([])}];

//# sourceMappingURL=1no0_server_app_api_spaces_%5BspaceId%5D_keys_%5BkeyId%5D_route_actions_0pufflbarxutq.js.map