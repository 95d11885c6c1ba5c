module.exports=[64590,a=>{"use strict";a.s([])}];

//# sourceMappingURL=0gy1__next-internal_server_app_spaces_%5BspaceId%5D_members_page_actions_1rw-vb3b4yyqi.js.map