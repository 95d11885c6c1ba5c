var R=require("../../../../../../../chunks/[turbopack]_runtime.js")("server/app/api/spaces/[spaceId]/conversations/[conversationId]/messages/route.js")
R.c("server/chunks/[root-of-the-server]__1-xzjf7s9b731._.js")
R.c("server/chunks/apps_web_features_chat_02ut2tddqp5oa._.js")
R.c("server/chunks/_1-ltjflx1p6sh._.js")
R.c("server/chunks/_05y2o_sbuj715._.js")
R.c("server/chunks/[root-of-the-server]__15bjnu5yieigz._.js")
R.c("server/chunks/0bb2_[spaceId]_conversations_[conversationId]_messages_route_actions_1ll99lcycx67s.js")
R.m(3927)
module.exports=R.m(3927).exports
