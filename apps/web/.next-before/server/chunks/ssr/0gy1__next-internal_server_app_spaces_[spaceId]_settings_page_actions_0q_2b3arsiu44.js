module.exports=[73716,a=>{"use strict";a.s([])}];

//# sourceMappingURL=0gy1__next-internal_server_app_spaces_%5BspaceId%5D_settings_page_actions_0q_2b3arsiu44.js.map