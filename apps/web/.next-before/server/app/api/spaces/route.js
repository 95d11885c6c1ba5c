var R=require("../../../chunks/[turbopack]_runtime.js")("server/app/api/spaces/route.js")
R.c("server/chunks/[root-of-the-server]__03n7wl7q13tnn._.js")
R.c("server/chunks/apps_web_features_spaces_people_ts_0on0u90mw9x3s._.js")
R.c("server/chunks/_11a7-cmwpzuoc._.js")
R.c("server/chunks/_0bub9fjrt_49z._.js")
R.c("server/chunks/[root-of-the-server]__15bjnu5yieigz._.js")
R.c("server/chunks/apps_web__next-internal_server_app_api_spaces_route_actions_1ki609g756bn_.js")
R.m(23990)
module.exports=R.m(23990).exports
