module.exports=[70729,a=>{a.v(b=>Promise.all(["server/chunks/ssr/[externals]_node_crypto_1kn79-7xl4-5u._.js"].map(b=>a.l(b))).then(()=>b(66680)))},29166,a=>{a.v(b=>Promise.all(["server/chunks/ssr/node_modules_jose_dist_webapi_index_18wfs_f7tsecu.js"].map(b=>a.l(b))).then(()=>b(14987)))}];

//# sourceMappingURL=%5Broot-of-the-server%5D__1h3eks05l3nit._.js.map