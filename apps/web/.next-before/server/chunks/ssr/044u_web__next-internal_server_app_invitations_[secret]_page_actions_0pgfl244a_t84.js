module.exports=[47263,a=>{"use strict";a.s([])}];

//# sourceMappingURL=044u_web__next-internal_server_app_invitations_%5Bsecret%5D_page_actions_0pgfl244a_t84.js.map