var R=require("../../../../../chunks/[turbopack]_runtime.js")("server/app/api/spaces/[spaceId]/tool-calls/route.js")
R.c("server/chunks/[root-of-the-server]__1omhrxos1noy6._.js")
R.c("server/chunks/_1dwvdpeeeu_mb._.js")
R.c("server/chunks/_1f6xbazoadfyi._.js")
R.c("server/chunks/[root-of-the-server]__15bjnu5yieigz._.js")
R.c("server/chunks/1no0_server_app_api_spaces_[spaceId]_tool-calls_route_actions_113vu6nlrtg-j.js")
R.m(93812)
module.exports=R.m(93812).exports
