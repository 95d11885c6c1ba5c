globalThis.__BUILD_MANIFEST = {
  "pages": {
    "/_app": []
  },
  "devFiles": [],
  "polyfillFiles": [
    "static/chunks/0cz1d0mv5g_q7.js"
  ],
  "lowPriorityFiles": [
    "static/hp_QXfL3k4AwTgicTok11/_buildManifest.js",
    "static/hp_QXfL3k4AwTgicTok11/_ssgManifest.js",
    "static/hp_QXfL3k4AwTgicTok11/_clientMiddlewareManifest.js"
  ],
  "rootMainFiles": [
    "static/chunks/3_mu1z7zot6fp.js",
    "static/chunks/0jw7_t3q12epn.js",
    "static/chunks/0ha9fah-h6h2k.js",
    "static/chunks/05925xr455f78.js",
    "static/chunks/turbopack-077hmtqrhcoji.js"
  ],
  "rootMainFilesTree": {},
  "pagesChunkGroupBootstrapParams": {
    "/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    },
    "/_not-found/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    },
    "/_global-error/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    },
    "/account/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    },
    "/account/clients/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    },
    "/forgot-password/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    },
    "/integrations/notion/callback/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    },
    "/invitations/[secret]/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    },
    "/oauth/consent/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    },
    "/oauth/error/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    },
    "/reset-password/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    },
    "/sign-in/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    },
    "/sign-up/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    },
    "/spaces/[spaceId]/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    },
    "/spaces/[spaceId]/chat/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    },
    "/spaces/[spaceId]/chat/[conversationId]/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    },
    "/spaces/[spaceId]/clients/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    },
    "/spaces/[spaceId]/connection/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    },
    "/spaces/[spaceId]/members/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    },
    "/spaces/[spaceId]/settings/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    },
    "/spaces/[spaceId]/tools/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    },
    "/spaces/new/page": {
      "otherChunks": [
        "static/chunks/3_mu1z7zot6fp.js",
        "static/chunks/0jw7_t3q12epn.js",
        "static/chunks/0ha9fah-h6h2k.js",
        "static/chunks/05925xr455f78.js"
      ],
      "runtimeModuleIds": [
        94553
      ]
    }
  },
  "chunkLoadingGlobal": "TURBOPACK"
};
