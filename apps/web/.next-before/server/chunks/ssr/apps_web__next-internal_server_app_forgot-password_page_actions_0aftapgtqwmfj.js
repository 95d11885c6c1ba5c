module.exports=[47785,a=>{"use strict";a.s([])}];

//# sourceMappingURL=apps_web__next-internal_server_app_forgot-password_page_actions_0aftapgtqwmfj.js.map