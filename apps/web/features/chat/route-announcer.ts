/** Next's element that tells screen readers the title of each page that the router goes to. */
const announcer = () => document.querySelector('next-route-announcer')?.shadowRoot?.firstElementChild

/** Where only the address changes, and the page stays as it is, there is nothing to announce. */
export const muteRouteAnnouncer = (): void => announcer()?.setAttribute('aria-hidden', 'true')

export const unmuteRouteAnnouncer = (): void => announcer()?.removeAttribute('aria-hidden')
