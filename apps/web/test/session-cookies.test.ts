import { describe, expect, it } from 'vitest'
import { cookieSettings, withPresentNames } from '@/lib/session-cookies.ts'

describe('cookies of an update', () => {
  it.each([
    ['a=b', 'a=b'],
    ['__Secure-better-auth.session_token=x.y', '__Host-better-auth.session_token=x.y'],
    ['a=b; __Secure-better-auth.state=s;c=d', 'a=b; __Host-better-auth.state=s; c=d'],
    [
      '__Secure-better-auth.session_token=old; __Host-better-auth.session_token=new',
      '__Host-better-auth.session_token=new',
    ],
    [
      '__Host-better-auth.session_token=new; __Secure-better-auth.session_token=old',
      '__Host-better-auth.session_token=new',
    ],
    ['__Secure-other.session_token=x', '__Secure-other.session_token=x'],
    ['__Secure-better-auth.session_token=a%3Db%3D', '__Host-better-auth.session_token=a%3Db%3D'],
    ['', ''],
  ])('%s are read as %s', (sent, read) => expect(withPresentNames(sent)).toBe(read))

  it('keep their names without https, where browsers take no prefix', () => {
    expect(cookieSettings('http://localhost:3000')).toEqual({})
  })
})
