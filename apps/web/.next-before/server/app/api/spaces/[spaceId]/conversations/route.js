var R=require("../../../../../chunks/[turbopack]_runtime.js")("server/app/api/spaces/[spaceId]/conversations/route.js")
R.c("server/chunks/[root-of-the-server]__1-xzjf7s9b731._.js")
R.c("server/chunks/apps_web_features_chat_02ut2tddqp5oa._.js")
R.c("server/chunks/_1770-1jq-uigg._.js")
R.c("server/chunks/_05y2o_sbuj715._.js")
R.c("server/chunks/[root-of-the-server]__15bjnu5yieigz._.js")
R.c("server/chunks/1no0_server_app_api_spaces_[spaceId]_conversations_route_actions_0qz6cy_ps3_dl.js")
R.m(38053)
module.exports=R.m(38053).exports
