/** What the doctor uses of the web app's own code. Load it only for a web app that is to be examined: the gateway's image does not have it. */
export { opensSigningKey } from '../../apps/web/authorization-server/opens-signing-key.ts'
export { authSecrets, Settings as WebSettings } from '../../apps/web/lib/settings.ts'
