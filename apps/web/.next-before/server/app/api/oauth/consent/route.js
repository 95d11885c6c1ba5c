var R=require("../../../../chunks/[turbopack]_runtime.js")("server/app/api/oauth/consent/route.js")
R.c("server/chunks/node_modules_zod_v4_classic_external_1nqgjabvj5jgq.js")
R.c("server/chunks/[root-of-the-server]__1jaoam2zetvjh._.js")
R.c("server/chunks/_1il0o-fo8qyi8._.js")
R.c("server/chunks/[root-of-the-server]__15bjnu5yieigz._.js")
R.c("server/chunks/_1t7bgeghiikw7._.js")
R.c("server/chunks/apps_web__next-internal_server_app_api_oauth_consent_route_actions_0n_g_cfj0g2ui.js")
R.m(19820)
module.exports=R.m(19820).exports
