/** Sends to better-auth's endpoints about spaces (its organizations); whether it went well. */
async function send(path: string, body: Record<string, string>): Promise<boolean> {
  const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  return fetch(`/api/auth/organization${path}`, request).then(
    (answer) => answer.ok,
    () => false,
  )
}

export const enterSpace = (id: string) => send('/set-active', { organizationId: id })

/** The new space becomes the one that the person is in. */
export const createSpace = (name: string) => send('/create', { name, slug: `space-${crypto.randomUUID()}` })
