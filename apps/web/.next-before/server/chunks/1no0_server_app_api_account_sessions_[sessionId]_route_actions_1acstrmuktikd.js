module.exports=[97653,s=>{"use strict";s.s([])}];

//# sourceMappingURL=1no0_server_app_api_account_sessions_%5BsessionId%5D_route_actions_1acstrmuktikd.js.map