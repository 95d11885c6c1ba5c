/** Whom the demo can be entered as. Written on the sign-in page of a demo, and nowhere else. */
export const demoUser = {
  name: 'Ada',
  email: 'ada@demo.test',
  password: 'demo-password',
  space: 'Demo team',
} as const
