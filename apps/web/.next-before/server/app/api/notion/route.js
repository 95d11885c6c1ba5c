var R=require("../../../chunks/[turbopack]_runtime.js")("server/app/api/notion/route.js")
R.c("server/chunks/apps_web_features_integrations_space-connection_ts_0u-_lmg1f0zge._.js")
R.c("server/chunks/[root-of-the-server]__03rg0kcib03_m._.js")
R.c("server/chunks/_1jr008ecgcr6y._.js")
R.c("server/chunks/[root-of-the-server]__15bjnu5yieigz._.js")
R.c("server/chunks/_0hc7858kep-fy._.js")
R.c("server/chunks/apps_web__next-internal_server_app_api_notion_route_actions_0hmpkzo8rcb-2.js")
R.m(63612)
module.exports=R.m(63612).exports
