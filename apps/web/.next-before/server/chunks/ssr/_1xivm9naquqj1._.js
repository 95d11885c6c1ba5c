module.exports=[79956,a=>{"use strict";var b=a.i(57441),b=b;b.config({jitless:!0}),a.s([],79956)},61954,a=>{"use strict";var b=a.i(57441);a.s(["z",0,b])},32485,a=>{"use strict";var b=a.i(57441);a.s(["z",0,b])},46059,a=>{"use strict";var b=a.i(57441);a.s(["z",0,b])},98868,a=>{"use strict";var b=a.i(57441);a.s(["z",0,b])}];

//# sourceMappingURL=_1xivm9naquqj1._.js.map