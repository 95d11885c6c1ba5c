module.exports=[18995,a=>{"use strict";a.s([])}];

//# sourceMappingURL=1no0_server_app_integrations_notion_callback_page_actions_1mz2n6s8byk41.js.map