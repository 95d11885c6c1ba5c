var R=require("../../../../../chunks/[turbopack]_runtime.js")("server/app/api/spaces/[spaceId]/handover/route.js")
R.c("server/chunks/[root-of-the-server]__03n7wl7q13tnn._.js")
R.c("server/chunks/apps_web_features_spaces_people_ts_0on0u90mw9x3s._.js")
R.c("server/chunks/_16743ncmi9pko._.js")
R.c("server/chunks/_1mhjowdpb_tvw._.js")
R.c("server/chunks/[root-of-the-server]__15bjnu5yieigz._.js")
R.c("server/chunks/1no0_server_app_api_spaces_[spaceId]_handover_route_actions_209hp8pe2itzx.js")
R.m(81620)
module.exports=R.m(81620).exports
