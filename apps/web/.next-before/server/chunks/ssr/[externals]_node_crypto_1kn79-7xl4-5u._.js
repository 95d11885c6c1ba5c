module.exports=[66680,(a,b,c)=>{b.exports=a.x("node:crypto",()=>require("node:crypto"))}];

//# sourceMappingURL=%5Bexternals%5D_node_crypto_1kn79-7xl4-5u._.js.map