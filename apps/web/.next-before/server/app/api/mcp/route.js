var R=require("../../../chunks/[turbopack]_runtime.js")("server/app/api/mcp/route.js")
R.c("server/chunks/[root-of-the-server]__1wu6vw38x_e6r._.js")
R.c("server/chunks/_18tnq2a-ce0-3._.js")
R.c("server/chunks/[root-of-the-server]__15bjnu5yieigz._.js")
R.c("server/chunks/_1jr008ecgcr6y._.js")
R.c("server/chunks/apps_web__next-internal_server_app_api_mcp_route_actions_1lo_1wvxhsu86.js")
R.m(42971)
module.exports=R.m(42971).exports
