module.exports=[37010,s=>{"use strict";s.s([])}];

//# sourceMappingURL=07b__api_spaces_%5BspaceId%5D_conversations_%5BconversationId%5D_route_actions_1ob2q21711h26.js.map