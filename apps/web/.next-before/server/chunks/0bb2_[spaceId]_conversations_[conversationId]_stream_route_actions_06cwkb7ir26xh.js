module.exports=[84749,s=>{"use strict";s.s([])}];

//# sourceMappingURL=0bb2_%5BspaceId%5D_conversations_%5BconversationId%5D_stream_route_actions_06cwkb7ir26xh.js.map