var R=require("../../../../../chunks/[turbopack]_runtime.js")("server/app/api/spaces/[spaceId]/enter/route.js")
R.c("server/chunks/[root-of-the-server]__0epg-fhfyw1il._.js")
R.c("server/chunks/apps_web_features_spaces_people_ts_0on0u90mw9x3s._.js")
R.c("server/chunks/[root-of-the-server]__15bjnu5yieigz._.js")
R.c("server/chunks/_1il0o-fo8qyi8._.js")
R.c("server/chunks/_0hyxo7bco4xlo._.js")
R.c("server/chunks/133t_next-internal_server_app_api_spaces_[spaceId]_enter_route_actions_0ky8p517qzlbc.js")
R.m(70290)
module.exports=R.m(70290).exports
