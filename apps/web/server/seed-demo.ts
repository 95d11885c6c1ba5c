import { demoPerson } from '../lib/demo-person.ts'
import { createSpace, type Auth } from '../lib/auth.ts'

/** Makes the demo's person and space, unless they are there. */
export async function seedDemo(auth: Auth): Promise<void> {
  const { internalAdapter, adapter, password } = await auth.$context
  if (await internalAdapter.findUserByEmail(demoPerson.email)) return
  const person = await internalAdapter.createUser(
    { name: demoPerson.name, email: demoPerson.email, emailVerified: true },
    { method: 'email-password' },
  )
  await internalAdapter.linkAccount({
    userId: person.id,
    providerId: 'credential',
    accountId: person.id,
    password: await password.hash(demoPerson.password),
  })
  await createSpace(adapter, demoPerson.space, person.id)
}
