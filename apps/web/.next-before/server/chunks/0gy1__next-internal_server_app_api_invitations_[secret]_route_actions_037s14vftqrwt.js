module.exports=[57006,s=>{"use strict";s.s([])}];

//# sourceMappingURL=0gy1__next-internal_server_app_api_invitations_%5Bsecret%5D_route_actions_037s14vftqrwt.js.map