/** The web app's code that the doctor uses. Load it only to examine a web app: the gateway's image does not have it. */
export { opensSigningKey } from '../../apps/web/authorization-server/opens-signing-key.ts'
export { authSecrets, Settings as WebSettings } from '../../apps/web/lib/settings.ts'
