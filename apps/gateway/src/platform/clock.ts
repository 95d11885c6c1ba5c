/** The current time: the database's in production, settable in tests. */
export type Clock = () => Date
