module.exports=[70729,e=>{e.v(e=>Promise.resolve().then(()=>e(66680)))},67030,e=>{e.v(e=>Promise.resolve().then(()=>e(83697)))},31182,e=>{e.v(o=>Promise.all(["server/chunks/node_modules_@vercel_oidc_dist_token_1o4m7ms78h_w1.js"].map(o=>e.l(o))).then(()=>o(90391)))}];

//# sourceMappingURL=%5Broot-of-the-server%5D__0_fe6nwsnints._.js.map