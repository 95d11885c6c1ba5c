module.exports=[45145,a=>{"use strict";a.s([])}];

//# sourceMappingURL=apps_web__next-internal_server_app_spaces_%5BspaceId%5D_page_actions_07ee1m9orzeo4.js.map