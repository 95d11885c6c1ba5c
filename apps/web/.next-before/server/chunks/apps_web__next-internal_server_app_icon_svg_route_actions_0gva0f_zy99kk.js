module.exports=[61178,s=>{"use strict";s.s([])}];

//# sourceMappingURL=apps_web__next-internal_server_app_icon_svg_route_actions_0gva0f_zy99kk.js.map