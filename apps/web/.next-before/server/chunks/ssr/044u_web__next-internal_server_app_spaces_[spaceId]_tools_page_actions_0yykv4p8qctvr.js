module.exports=[13930,a=>{"use strict";a.s([])}];

//# sourceMappingURL=044u_web__next-internal_server_app_spaces_%5BspaceId%5D_tools_page_actions_0yykv4p8qctvr.js.map