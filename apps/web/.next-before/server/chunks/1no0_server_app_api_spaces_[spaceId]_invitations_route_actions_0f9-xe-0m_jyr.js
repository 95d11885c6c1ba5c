module.exports=[66566,s=>{"use strict";s.s([])}];

//# sourceMappingURL=1no0_server_app_api_spaces_%5BspaceId%5D_invitations_route_actions_0f9-xe-0m_jyr.js.map