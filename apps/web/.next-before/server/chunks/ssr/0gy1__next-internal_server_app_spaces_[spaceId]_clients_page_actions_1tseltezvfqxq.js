module.exports=[23354,a=>{"use strict";a.s([])}];

//# sourceMappingURL=0gy1__next-internal_server_app_spaces_%5BspaceId%5D_clients_page_actions_1tseltezvfqxq.js.map