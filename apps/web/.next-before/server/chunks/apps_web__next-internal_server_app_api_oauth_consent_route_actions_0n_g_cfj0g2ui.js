module.exports=[50483,s=>{"use strict";s.s([])}];

//# sourceMappingURL=apps_web__next-internal_server_app_api_oauth_consent_route_actions_0n_g_cfj0g2ui.js.map