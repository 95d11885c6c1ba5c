import { describe, expect, it } from 'vitest'
import { cookiePrefix, withPresentNames } from './session-cookies.ts'

describe('cookies of a session', () => {
  it('belong to this host alone where that can be said', () => {
    expect(cookiePrefix('https://app.example.com')).toBe('__Host-better-auth')
    expect(cookiePrefix('http://localhost:3000')).toBe('better-auth')
  })

  it.each([
    ['a=1; __Secure-better-auth.session_token=x.y=', 'a=1; __Host-better-auth.session_token=x.y='],
    [
      '__Secure-better-auth.session_token=old;__Host-better-auth.session_token=new',
      '__Secure-better-auth.session_token=old; __Host-better-auth.session_token=new',
    ],
    ['__Secure-better-auth.state=s', '__Host-better-auth.state=s'],
    ['better-auth.session_token=x', 'better-auth.session_token=x'],
    ['__Secure-other=x; novalue', '__Secure-other=x; novalue'],
    ['', ''],
  ])('count under their present names: %s', (header, expected) => {
    expect(withPresentNames(header)).toBe(expected)
  })
})
