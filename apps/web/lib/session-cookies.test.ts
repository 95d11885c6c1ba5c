import { describe, expect, it } from 'vitest'
import { cookieSettings, withPresentNames } from './session-cookies.ts'

describe('cookies of a session', () => {
  it('belong to this host alone where that can be said', () => {
    expect(cookieSettings('https://app.example.com')).toMatchObject({ cookiePrefix: '__Host-better-auth' })
    expect(cookieSettings('http://localhost:3000')).toEqual({})
  })

  it.each([
    ['a=1; __Secure-better-auth.session_token=x.y=', 'a=1; __Host-better-auth.session_token=x.y='],
    [
      '__Secure-better-auth.session_token=old;__Host-better-auth.session_token=new',
      '__Host-better-auth.session_token=new',
    ],
    ['__Secure-better-auth.state=s', '__Host-better-auth.state=s'],
    ['better-auth.session_token=x', 'better-auth.session_token=x'],
    ['__Secure-other=x; novalue', '__Secure-other=x; novalue'],
    ['', ''],
  ])('count under their present names: %s', (header, expected) => {
    expect(withPresentNames(header)).toBe(expected)
  })
})
