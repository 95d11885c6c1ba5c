var R=require("../../../../chunks/[turbopack]_runtime.js")("server/app/api/notion/waiting/route.js")
R.c("server/chunks/apps_web_features_integrations_space-connection_ts_0u-_lmg1f0zge._.js")
R.c("server/chunks/[root-of-the-server]__1wu6vw38x_e6r._.js")
R.c("server/chunks/_1jr008ecgcr6y._.js")
R.c("server/chunks/[root-of-the-server]__15bjnu5yieigz._.js")
R.c("server/chunks/_08y56-bxavq-0._.js")
R.c("server/chunks/044u_web__next-internal_server_app_api_notion_waiting_route_actions_0-5nrogyhvn2z.js")
R.m(94835)
module.exports=R.m(94835).exports
