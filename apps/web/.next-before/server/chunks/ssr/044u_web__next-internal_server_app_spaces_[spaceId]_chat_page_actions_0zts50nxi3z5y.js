module.exports=[16856,a=>{"use strict";a.s([])}];

//# sourceMappingURL=044u_web__next-internal_server_app_spaces_%5BspaceId%5D_chat_page_actions_0zts50nxi3z5y.js.map