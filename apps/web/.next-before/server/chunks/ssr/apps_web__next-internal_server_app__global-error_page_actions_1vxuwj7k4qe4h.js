module.exports=[12695,a=>{"use strict";a.s([])}];

//# sourceMappingURL=apps_web__next-internal_server_app__global-error_page_actions_1vxuwj7k4qe4h.js.map