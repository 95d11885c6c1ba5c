import { demoUser } from '../lib/demo-user.ts'
import { createSpace, type Auth } from '../lib/auth.ts'

/** Makes the demo's user and space, unless they are there. */
export async function seedDemo(auth: Auth): Promise<void> {
  const { internalAdapter, adapter, password } = await auth.$context
  if (await internalAdapter.findUserByEmail(demoUser.email)) return
  const user = await internalAdapter.createUser(
    { name: demoUser.name, email: demoUser.email, emailVerified: true },
    { method: 'email-password' },
  )
  await internalAdapter.linkAccount({
    userId: user.id,
    providerId: 'credential',
    accountId: user.id,
    password: await password.hash(demoUser.password),
  })
  await createSpace(adapter, demoUser.space, user.id)
}
