var R=require("../../chunks/[turbopack]_runtime.js")("server/app/icon.svg/route.js")
R.c("server/chunks/[externals]__03_ge9aowdy2c._.js")
R.c("server/chunks/[root-of-the-server]__15bjnu5yieigz._.js")
R.c("server/chunks/_0bn1g1x5wzw4u._.js")
R.c("server/chunks/apps_web__next-internal_server_app_icon_svg_route_actions_0gva0f_zy99kk.js")
R.m(21404)
module.exports=R.m(21404).exports
