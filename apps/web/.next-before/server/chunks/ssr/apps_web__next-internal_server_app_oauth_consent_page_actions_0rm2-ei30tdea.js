module.exports=[71132,a=>{"use strict";a.s([])}];

//# sourceMappingURL=apps_web__next-internal_server_app_oauth_consent_page_actions_0rm2-ei30tdea.js.map