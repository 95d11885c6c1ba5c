module.exports=[60872,s=>{"use strict";s.s([])}];

//# sourceMappingURL=apps_web__next-internal_server_app_api_auth_%5B___all%5D_route_actions_12i9igo91muse.js.map