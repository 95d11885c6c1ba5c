import { describe, expect, it } from 'vitest'
import { advisoriesIn } from '../scripts/advisories.ts'

describe('advisories', () => {
  it.each([
    ['no answer', '', 'not checked: npm audit gave no answer'],
    ['a page', '<html>', 'not checked: npm audit gave no answer'],
    [
      'a registry without them',
      '{"message":"405 Method Not Allowed","statusCode":405}',
      'not checked: the registry has no audit endpoint, or it does not answer',
    ],
    ['nothing to tell', '{"vulnerabilities":{}}', 'none'],
    [
      'one that applies',
      '{"vulnerabilities":{"left-pad":{"severity":"high","range":"<1.3.0","isDirect":false}}}',
      '1\n       high: left-pad <1.3.0 (not used directly)',
    ],
  ])('are told after %s', (_, output, told) => expect(advisoriesIn(output)).toBe(told))
})
