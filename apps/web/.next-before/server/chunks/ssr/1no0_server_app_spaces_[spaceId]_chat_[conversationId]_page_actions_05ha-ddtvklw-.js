module.exports=[76012,a=>{"use strict";a.s([])}];

//# sourceMappingURL=1no0_server_app_spaces_%5BspaceId%5D_chat_%5BconversationId%5D_page_actions_05ha-ddtvklw-.js.map