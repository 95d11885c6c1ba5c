var R=require("../../../../../chunks/[turbopack]_runtime.js")("server/app/api/account/sessions/[sessionId]/route.js")
R.c("server/chunks/[root-of-the-server]__05jvmzz4rop78._.js")
R.c("server/chunks/_13hcnbor6ydo1._.js")
R.c("server/chunks/_19p0518o2dyio._.js")
R.c("server/chunks/[root-of-the-server]__15bjnu5yieigz._.js")
R.c("server/chunks/1no0_server_app_api_account_sessions_[sessionId]_route_actions_1acstrmuktikd.js")
R.m(10141)
module.exports=R.m(10141).exports
