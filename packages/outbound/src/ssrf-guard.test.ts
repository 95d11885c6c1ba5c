import { describe, expect, it } from 'vitest'
import { classifyAddress, createSsrfGuard } from './ssrf-guard.ts'

describe('classifyAddress', () => {
  it.each([
    ['public', ['1.1.1.1', '8.8.8.8', '172.15.0.1', '172.32.0.1', '100.63.0.1', '192.169.0.1', '2606:4700::1111']],
    ['public', ['::ffff:1.1.1.1', '64:ff9b::1.1.1.1', '64:ff9b::808:808']],
    [
      'private',
      [
        '10.0.0.1',
        '172.16.0.1',
        '172.31.255.255',
        '192.168.1.1',
        '100.64.0.1',
        '198.19.0.1',
        'fd00::1',
        'fd00:ec2::253',
      ],
    ],
    ['private', ['::ffff:10.0.0.1', '::ffff:a00:1', '64:ff9b::10.0.0.1', '64:ff9b::c0a8:101']],
    ['loopback', ['127.0.0.1', '127.255.0.9', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '64:ff9b::127.0.0.1']],
    [
      'reserved',
      ['169.254.169.254', '::ffff:169.254.169.254', '64:ff9b::a9fe:a9fe', 'fe80::1', 'fe80::1%eth0', 'ff02::1'],
    ],
    ['reserved', ['0.0.0.0', '::', '::ffff:0.0.0.0', '224.0.0.1', '255.255.255.255', '::127.0.0.1', 'fec0::1']],
    ['reserved', ['192.0.2.1', '203.0.113.7', '2001:db8::1', '2001::1', '2002:7f00:1::', '5f00::1']],
    ['reserved', ['168.63.129.16', '100.100.100.200', 'fd00:ec2::254', 'fd20:ce::254', '::ffff:168.63.129.16']],
    ['reserved', ['example.com', '', '1.1.1', '0x7f000001']],
  ] as const)('puts into the class %s: %j', (addressClass, addresses) => {
    for (const address of addresses) expect([address, classifyAddress(address)]).toEqual([address, addressClass])
  })
})

describe('assertAllowed', () => {
  const publicOnly = createSsrfGuard({
    alsoAllow: [],
    trustedOrigins: ['https://10.1.1.1', 'https://auth.corp.test:8443', 'http://keys.corp.test'],
  })
  it.each([
    ['https://notion.com/token', true],
    ['https://1.1.1.1/token', true],
    ['http://notion.com/token', false],
    ['ftp://notion.com/token', false],
    ['http://localhost/token', false],
    ['https://localhost:8443/token', false],
    ['https://a.localhost/token', false],
    ['https://127.1/token', false],
    ['https://2130706433/token', false],
    ['https://0x7f.1/token', false],
    ['https://[::1]/token', false],
    ['https://[::ffff:127.0.0.1]/token', false],
    ['https://192.168.0.1/token', false],
    ['https://169.254.169.254/latest/meta-data', false],
    ['https://10.1.1.2/token', false],
    ['https://10.1.1.1/token', true],
    ['http://10.1.1.1/token', false],
    ['https://10.1.1.1:8443/token', false],
    ['http://keys.corp.test/jwks', true],
    ['http://auth.corp.test:8443/token', false],
  ])('judges %s: allowed %s', (url, isAllowed) => {
    const check = () => publicOnly.assertAllowed(new URL(url))
    if (isAllowed) expect(check).not.toThrow()
    else expect(check).toThrow(expect.objectContaining({ name: 'ForbiddenUrl' }))
  })

  it('allows the additional classes, and no others', () => {
    const withPrivate = createSsrfGuard({ alsoAllow: ['private'] })
    expect(() => withPrivate.assertAllowed(new URL('https://10.1.1.1/'))).not.toThrow()
    expect(() => withPrivate.assertAllowed(new URL('https://127.0.0.1/'))).toThrow('not allowed')
    const withLoopback = createSsrfGuard({ alsoAllow: ['private', 'loopback'] })
    expect(() => withLoopback.assertAllowed(new URL('http://127.0.0.1/'))).not.toThrow()
    expect(() => withLoopback.assertAllowed(new URL('https://169.254.169.254/'))).toThrow('not allowed')
  })
})
