module.exports=[81284,a=>{"use strict";a.s([])}];

//# sourceMappingURL=apps_web__next-internal_server_app_account_clients_page_actions_090hes63m4w_l.js.map