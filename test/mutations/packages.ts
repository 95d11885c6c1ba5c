import type { Mutation } from './mutation.ts'

const migrations = 'packages/process/test/migrations.test.ts'
const ssrfGuard = { file: 'packages/outbound/src/ssrf-guard.test.ts' }
const outcome = 'apps/gateway/test/proxy/outcome.test.ts'

export const packageMutations: readonly Mutation[] = [
  {
    law: 'L1',
    fault: 'an invalid setting is reported with its value',
    file: 'packages/process/src/settings.ts',
    text: 'throw new StartupError([...wrong.values()].map(asSentence).join(',
    replacement: 'throw new StartupError([...wrong.values(), ...Object.values(given)].map(asSentence).join(',
    test: {
      file: 'packages/process/test/settings.test.ts',
      title: 'is reported together with all other invalid ones, without its value',
    },
  },
  {
    law: 'L8',
    fault: 'an older release runs on a database that it does not know',
    file: 'packages/process/src/migrations.ts',
    text: 'oldestRelease > release)',
    replacement: 'oldestRelease > release + 1)',
    test: { file: migrations, title: 'is %i: release %i may run: %s' },
  },
  {
    law: 'L8',
    fault: 'a newer database is used by no other release than its own',
    file: 'packages/process/src/migrations.ts',
    text: 'oldestRelease > release)',
    replacement: 'oldestRelease !== release)',
    test: { file: migrations, title: 'is %i: release %i may run: %s' },
  },
  {
    law: 'L8',
    fault: 'a migration without the oldest release is applied',
    file: 'packages/process/src/migrations.ts',
    text: 'const [, oldest] = FIRST_LINE.exec(sql) ?? []',
    replacement: "const [, oldest] = FIRST_LINE.exec(sql) ?? ['', '1']",
    test: { file: migrations, title: 'rejects a file that begins with %j' },
  },
  {
    law: 'L10',
    fault: 'a tool that changes pages counts as one that only reads',
    file: 'packages/contract/src/notion-tools.ts',
    text: "['notion-search', 'finds content'],",
    replacement: "['notion-search', 'finds content'],\n  ['notion-update-page', 'changes a page'],",
    test: { file: 'test/provider-facts.test.ts' },
  },
  {
    law: 'L11',
    fault: 'an unknown outcome counts as not sent',
    file: 'packages/contract/src/problems.ts',
    text: 'outcome_unknown: true,',
    replacement: 'outcome_unknown: false,',
    test: { file: outcome, title: 'covers every code' },
  },
  {
    law: 'L11',
    fault: 'a code of a later release counts as not sent',
    file: 'packages/contract/src/problems.ts',
    text: 'MAY_HAVE_BEEN_SENT[code as ProblemCode] : true',
    replacement: 'MAY_HAVE_BEEN_SENT[code as ProblemCode] : false',
    test: { file: outcome, title: 'counts the unknown code "%s" as sent' },
  },
  {
    law: 'L12',
    fault: 'addresses of strangers may lead to the metadata services of clouds',
    file: 'packages/outbound/src/ssrf-guard.ts',
    text: '0.0.0.0/8 169.254.0.0/16 192.0.0.0/24',
    replacement: '0.0.0.0/8 192.0.0.0/24',
    test: ssrfGuard,
  },
  {
    law: 'L12',
    fault: 'addresses of strangers may lead to private networks',
    file: 'packages/outbound/src/ssrf-guard.ts',
    text: "blockList('10.0.0.0/8 100.64.0.0/10",
    replacement: "blockList('100.64.0.0/10",
    test: ssrfGuard,
  },
]
