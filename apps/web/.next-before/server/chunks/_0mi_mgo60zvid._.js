module.exports=[11323,t=>{"use strict";t.i(98309);var s=t.i(35157);[...s.g.options],t.s(["v",0,"offline_access","Q",0,function(t){let e=new Set(t?.split(" ")),i=s.g.options.filter(t=>e.has(t));return i.length>0?i:[...s.g.options]}])},98305,t=>{"use strict";var s=t.i(62810);t.s(["z",0,s])}];

//# sourceMappingURL=_0mi_mgo60zvid._.js.map