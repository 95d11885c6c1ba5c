var R=require("../../../../chunks/[turbopack]_runtime.js")("server/app/api/notion/history/route.js")
R.c("server/chunks/node_modules_zod_v4_classic_external_0704lo06qsnnf.js")
R.c("server/chunks/[root-of-the-server]__01tvmov2iws6d._.js")
R.c("server/chunks/_0z_0d9btjdjs7._.js")
R.c("server/chunks/[root-of-the-server]__15bjnu5yieigz._.js")
R.c("server/chunks/_0o65c9jdhj475._.js")
R.c("server/chunks/044u_web__next-internal_server_app_api_notion_history_route_actions_0bo7oa5aunzhp.js")
R.m(78895)
module.exports=R.m(78895).exports
