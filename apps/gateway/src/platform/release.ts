/**
 * The database release of the gateway's code. Raised by one when older code cannot run after a migration; the migration then names the new
 * number as the oldest release that can run on it. Expand in one release and contract in a later one, so that each release runs on the
 * tables of the next.
 */
export const RELEASE = 1
