/** Below the app's own address: the issuer, as gateway and clients know it. */
export const ISSUER_PATH = '/api/auth'
