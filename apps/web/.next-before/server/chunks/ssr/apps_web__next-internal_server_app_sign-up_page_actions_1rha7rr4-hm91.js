module.exports=[45866,a=>{"use strict";a.s([])}];

//# sourceMappingURL=apps_web__next-internal_server_app_sign-up_page_actions_1rha7rr4-hm91.js.map