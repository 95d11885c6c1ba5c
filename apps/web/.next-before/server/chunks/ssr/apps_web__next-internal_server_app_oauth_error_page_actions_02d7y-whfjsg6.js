module.exports=[32895,a=>{"use strict";a.s([])}];

//# sourceMappingURL=apps_web__next-internal_server_app_oauth_error_page_actions_02d7y-whfjsg6.js.map