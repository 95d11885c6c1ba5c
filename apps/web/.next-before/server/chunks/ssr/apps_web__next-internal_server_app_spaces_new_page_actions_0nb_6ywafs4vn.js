module.exports=[91242,a=>{"use strict";a.s([])}];

//# sourceMappingURL=apps_web__next-internal_server_app_spaces_new_page_actions_0nb_6ywafs4vn.js.map