module.exports=[95140,s=>{"use strict";s.s([])}];

//# sourceMappingURL=0hyf_app_api_spaces_%5BspaceId%5D_invitations_%5BinvitationId%5D_route_actions_1jlpf0twmffua.js.map