import { createHmac, timingSafeEqual } from 'node:crypto'

/**
 * Keeps people signed in when secrets change. better-auth knows one secret, with which it signs cookies (`value.signature`, HMAC-SHA-256 in
 * base64). Cookies that one of the others signed reach it with a signature of the first.
 *
 * @param secrets the first one signs, signatures of all of them count.
 * @returns what to read in place of a request's `Cookie` header.
 */
export function resignedCookies([first, ...others]: readonly [string, ...string[]]): (header: string) => string {
  const resigned = (pair: string): string => {
    const [, name = '', raw = ''] = /^\s*([^=]+)=(.*)$/.exec(pair) ?? []
    const [, value, signature = ''] = /^(.+)\.([\w+/]{43}=)$/.exec(decoded(raw)) ?? []
    if (value === undefined) return pair
    const isSignedWith = (secret: string) =>
      timingSafeEqual(Buffer.from(signatureOf(value, secret)), Buffer.from(signature))
    if (!others.some(isSignedWith)) return pair
    return ` ${name}=${encodeURIComponent(`${value}.${signatureOf(value, first)}`)}`
  }
  return (header) => (others.length === 0 ? header : header.split(';').map(resigned).join(';').trim())
}

const signatureOf = (value: string, secret: string) => createHmac('sha256', secret).update(value).digest('base64')

function decoded(raw: string): string {
  try {
    return decodeURIComponent(raw)
  } catch {
    return ''
  }
}
