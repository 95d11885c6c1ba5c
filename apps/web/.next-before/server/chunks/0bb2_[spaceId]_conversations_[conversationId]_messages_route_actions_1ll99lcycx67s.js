module.exports=[16631,s=>{"use strict";s.s([])}];

//# sourceMappingURL=0bb2_%5BspaceId%5D_conversations_%5BconversationId%5D_messages_route_actions_1ll99lcycx67s.js.map