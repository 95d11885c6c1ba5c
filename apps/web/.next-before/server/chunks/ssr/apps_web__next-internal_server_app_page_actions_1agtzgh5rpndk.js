module.exports=[41909,a=>{"use strict";a.s([])}];

//# sourceMappingURL=apps_web__next-internal_server_app_page_actions_1agtzgh5rpndk.js.map