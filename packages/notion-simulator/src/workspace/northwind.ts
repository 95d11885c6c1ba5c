import { PEOPLE, type Seeder } from './seeder.ts'

/** Northwind, a tea trader. It has a page "Launch plan" too, to reveal a mix-up of tenants. */
export function seedNorthwind(seed: Seeder): void {
  const { ada, cleo } = PEOPLE
  seed.teamspace('general', 'General', [ada, cleo])

  seed.page({
    key: 'welcome',
    title: 'Welcome to Northwind',
    icon: '🍃',
    parent: { teamspace: 'general' },
    by: cleo,
    createdDaysAgo: 500,
    editedDaysAgo: 25,
    content: 'We buy tea where it grows and sell it where it rains. Start with the suppliers page.',
  })
  seed.page({
    key: 'launch-plan',
    title: 'Launch plan',
    icon: '🫖',
    parent: { teamspace: 'general' },
    by: cleo,
    createdDaysAgo: 21,
    editedDaysAgo: 3,
    content: `
# First flush
The spring Darjeeling goes on sale in all shops on the same morning.

- [ ] Tins printed
- [ ] Tasting notes for the counters
- [x] Price agreed with the estate`,
  })
  seed.page({
    key: 'suppliers',
    title: 'Suppliers',
    icon: '🚢',
    parent: { teamspace: 'general' },
    by: ada,
    createdDaysAgo: 320,
    editedDaysAgo: 11,
    content:
      'Ada advises on contracts. Three estates in Darjeeling, one in Assam, one in Yunnan; renewals are due in March.',
  })
  seed.page({
    key: 'quarter',
    title: 'Meeting notes: quarterly review',
    icon: '📈',
    parent: { teamspace: 'general' },
    by: cleo,
    createdDaysAgo: 18,
    editedDaysAgo: 18,
    content: 'Green tea grew by a fifth, loose leaf more than bags. **We stop selling flavoured coffee.**',
  })
  seed.page({
    key: 'cleo-private',
    title: 'Notes for the bank',
    parent: { privateOf: cleo },
    by: cleo,
    createdDaysAgo: 8,
    editedDaysAgo: 8,
    content: 'Only Cleo sees this page.',
  })
}
