module.exports=[29926,s=>{"use strict";s.s([])}];

//# sourceMappingURL=0yur_well-known_oauth-authorization-server_%5B%5B___issuer%5D%5D_route_actions_03xclpfjp_qt8.js.map