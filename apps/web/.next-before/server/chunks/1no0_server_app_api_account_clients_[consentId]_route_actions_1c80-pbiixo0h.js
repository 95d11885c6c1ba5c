module.exports=[92948,s=>{"use strict";s.s([])}];

//# sourceMappingURL=1no0_server_app_api_account_clients_%5BconsentId%5D_route_actions_1c80-pbiixo0h.js.map