module.exports=[58298,a=>{"use strict";a.s([])}];

//# sourceMappingURL=133t_next-internal_server_app_spaces_%5BspaceId%5D_connection_page_actions_10akfbz3r_3dz.js.map