module.exports=[97160,a=>{"use strict";a.s([])}];

//# sourceMappingURL=apps_web__next-internal_server_app_reset-password_page_actions_1wqo3uxe6mfq9.js.map