var R=require("../../../../../../chunks/[turbopack]_runtime.js")("server/app/api/spaces/[spaceId]/members/[personId]/route.js")
R.c("server/chunks/[root-of-the-server]__03n7wl7q13tnn._.js")
R.c("server/chunks/apps_web_features_spaces_people_ts_0on0u90mw9x3s._.js")
R.c("server/chunks/_1_eho2m8q7dst._.js")
R.c("server/chunks/_0bub9fjrt_49z._.js")
R.c("server/chunks/[root-of-the-server]__15bjnu5yieigz._.js")
R.c("server/chunks/1no0_server_app_api_spaces_[spaceId]_members_[personId]_route_actions_1y1wj6498krkv.js")
R.m(87697)
module.exports=R.m(87697).exports
