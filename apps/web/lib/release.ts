/**
 * The release of the web app's code, as far as the database is concerned. Raised by one when a migration needs code that knows of it; the
 * migration then names this number as the oldest release that can run on it. Expand first, in one release, and contract in a later one, so that the
 * release before always runs on the tables of the next.
 */
export const RELEASE = 1
