module.exports=[7105,a=>{"use strict";a.s([])}];

//# sourceMappingURL=apps_web__next-internal_server_app_account_page_actions_1jwwebq0xnr-o.js.map