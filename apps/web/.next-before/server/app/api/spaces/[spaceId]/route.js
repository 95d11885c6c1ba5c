var R=require("../../../../chunks/[turbopack]_runtime.js")("server/app/api/spaces/[spaceId]/route.js")
R.c("server/chunks/[root-of-the-server]__03n7wl7q13tnn._.js")
R.c("server/chunks/apps_web_features_spaces_people_ts_0on0u90mw9x3s._.js")
R.c("server/chunks/_0cpw1jz6847g4._.js")
R.c("server/chunks/_0bub9fjrt_49z._.js")
R.c("server/chunks/[root-of-the-server]__15bjnu5yieigz._.js")
R.c("server/chunks/044u_web__next-internal_server_app_api_spaces_[spaceId]_route_actions_11-pydpxiwz9e.js")
R.m(27738)
module.exports=R.m(27738).exports
