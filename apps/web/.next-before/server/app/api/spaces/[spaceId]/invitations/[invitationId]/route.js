var R=require("../../../../../../chunks/[turbopack]_runtime.js")("server/app/api/spaces/[spaceId]/invitations/[invitationId]/route.js")
R.c("server/chunks/[root-of-the-server]__0epg-fhfyw1il._.js")
R.c("server/chunks/apps_web_features_spaces_people_ts_0on0u90mw9x3s._.js")
R.c("server/chunks/[root-of-the-server]__15bjnu5yieigz._.js")
R.c("server/chunks/_1il0o-fo8qyi8._.js")
R.c("server/chunks/_0omufdaenr0ma._.js")
R.c("server/chunks/0hyf_app_api_spaces_[spaceId]_invitations_[invitationId]_route_actions_1jlpf0twmffua.js")
R.m(4059)
module.exports=R.m(4059).exports
