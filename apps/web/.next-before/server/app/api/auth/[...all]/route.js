var R=require("../../../../chunks/[turbopack]_runtime.js")("server/app/api/auth/[...all]/route.js")
R.c("server/chunks/[root-of-the-server]__0jam4s3gn9s0e._.js")
R.c("server/chunks/_0la44duotcssr._.js")
R.c("server/chunks/_1r2ra99r5gf1k._.js")
R.c("server/chunks/_1jr008ecgcr6y._.js")
R.c("server/chunks/[root-of-the-server]__15bjnu5yieigz._.js")
R.c("server/chunks/apps_web__next-internal_server_app_api_auth_[___all]_route_actions_12i9igo91muse.js")
R.m(32163)
module.exports=R.m(32163).exports
