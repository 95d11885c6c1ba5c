module.exports=[15228,a=>{"use strict";a.s([])}];

//# sourceMappingURL=apps_web__next-internal_server_app_sign-in_page_actions_210loif7qd2_f.js.map