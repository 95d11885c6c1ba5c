var R=require("../../../../chunks/[turbopack]_runtime.js")("server/app/api/account/sessions/route.js")
R.c("server/chunks/[root-of-the-server]__05jvmzz4rop78._.js")
R.c("server/chunks/_1yvx5ca64b78j._.js")
R.c("server/chunks/_19p0518o2dyio._.js")
R.c("server/chunks/[root-of-the-server]__15bjnu5yieigz._.js")
R.c("server/chunks/044u_web__next-internal_server_app_api_account_sessions_route_actions_1m2-ueqk_w9ea.js")
R.m(80614)
module.exports=R.m(80614).exports
