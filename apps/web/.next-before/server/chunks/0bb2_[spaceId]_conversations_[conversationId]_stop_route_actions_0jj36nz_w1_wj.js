module.exports=[59483,s=>{"use strict";s.s([])}];

//# sourceMappingURL=0bb2_%5BspaceId%5D_conversations_%5BconversationId%5D_stop_route_actions_0jj36nz_w1_wj.js.map