var R=require("../../../../chunks/[turbopack]_runtime.js")("server/app/.well-known/oauth-authorization-server/[[...issuer]]/route.js")
R.c("server/chunks/[root-of-the-server]__1d5widlcimr9t._.js")
R.c("server/chunks/[root-of-the-server]__15bjnu5yieigz._.js")
R.c("server/chunks/_0g155ubefsokb._.js")
R.c("server/chunks/0yur_well-known_oauth-authorization-server_[[___issuer]]_route_actions_03xclpfjp_qt8.js")
R.m(28453)
module.exports=R.m(28453).exports
