import { DAY } from '../clock.ts'
import { PEOPLE, type Seeder } from './seeder.ts'

const TASKS: {
  title: string
  status: string
  priority: string
  dueInDays: number
  effort: number
  done: boolean
  owner: 'ada' | 'ben'
}[] = [
  {
    title: 'Write the launch announcement',
    status: 'In progress',
    priority: 'High',
    dueInDays: 5,
    effort: 3,
    done: false,
    owner: 'ada',
  },
  {
    title: 'Record the two-minute demo',
    status: 'Not started',
    priority: 'High',
    dueInDays: 8,
    effort: 5,
    done: false,
    owner: 'ben',
  },
  {
    title: 'Update the pricing page',
    status: 'In progress',
    priority: 'Medium',
    dueInDays: 3,
    effort: 2,
    done: false,
    owner: 'ben',
  },
  {
    title: 'Load test the new search',
    status: 'Done',
    priority: 'High',
    dueInDays: -4,
    effort: 8,
    done: true,
    owner: 'ben',
  },
  {
    title: 'Translate the onboarding emails',
    status: 'Not started',
    priority: 'Low',
    dueInDays: 20,
    effort: 3,
    done: false,
    owner: 'ada',
  },
  {
    title: 'Brief the support team',
    status: 'Not started',
    priority: 'Medium',
    dueInDays: 6,
    effort: 1,
    done: false,
    owner: 'ada',
  },
  {
    title: 'Rotate the signing keys',
    status: 'Done',
    priority: 'Medium',
    dueInDays: -10,
    effort: 1,
    done: true,
    owner: 'ben',
  },
  {
    title: 'Plan the autumn offsite',
    status: 'Not started',
    priority: 'Low',
    dueInDays: 40,
    effort: 5,
    done: false,
    owner: 'ada',
  },
]

/** Acme, a company that is about to launch the second version of its product. */
export function seedAcme(seed: Seeder, now: number): void {
  const { ada, ben } = PEOPLE
  seed.teamspace('product', 'Product', [ada, ben])
  seed.teamspace('people', 'People', [ada, ben])
  seed.teamspace('engineering', 'Engineering', [ben])

  seed.page({
    key: 'launch-plan',
    title: 'Launch plan',
    icon: '🚀',
    parent: { teamspace: 'product' },
    by: ada,
    createdDaysAgo: 40,
    editedDaysAgo: 1,
    verified: true,
    content: `
# Goal
Version 2 is public by the end of the quarter, and half of the weekly users have tried the new search within a month.

# Dates
<table header-row="true">
<tr><td>What</td><td>When</td><td>Who</td></tr>
<tr><td>Feature freeze</td><td>Monday of week 1</td><td>Ben</td></tr>
<tr><td>Press briefing</td><td>Wednesday of week 2</td><td>Ada</td></tr>
<tr><td>Public launch</td><td>Thursday of week 3</td><td>everybody</td></tr>
</table>

# Before we press the button
- [x] Load test with three times the usual traffic
- [x] Roll-back rehearsed
- [ ] Status page text written and reviewed
- [ ] Support team briefed

# Risks
The import of old attachments is slow for very large teams. If it takes more than a day for anybody, we launch without it and say so.`,
  })
  seed.page({
    key: 'roadmap',
    title: 'Product roadmap',
    icon: '🗺️',
    parent: { teamspace: 'product' },
    by: ada,
    createdDaysAgo: 200,
    editedDaysAgo: 6,
    content: `
# Now
- **Search that understands questions** (launches with version 2)
- Faster first load: below one second on a phone

# Next
- Shared drafts
- Calendar feed for deadlines

# Later
- Offline mode. Asked for often, expensive; we decide in January.

> A thing that is not on this page is not planned, however often it was mentioned in a meeting.`,
  })
  seed.page({
    key: 'meetings',
    title: 'Meeting notes',
    icon: '🗒️',
    parent: { teamspace: 'product' },
    by: ben,
    createdDaysAgo: 180,
    editedDaysAgo: 2,
    content: 'One page for each meeting, newest first. Decisions are in bold.',
  })
  seed.page({
    key: 'weekly-2',
    title: 'Weekly product sync: pricing',
    icon: '📌',
    parent: { page: 'meetings' },
    by: ben,
    createdDaysAgo: 2,
    editedDaysAgo: 2,
    content: `
Present: <mention-user url="user://${ada.id}">Ada Sandberg</mention-user>, <mention-user url="user://${ben.id}">Ben Okafor</mention-user>

1. Pricing. **We keep three plans and rename the middle one to Team.**
2. The launch date holds. Ben sees no blocker after the load test.
3. Two customers asked for a data export in Parquet. Not now.

Next steps: Ben updates the pricing page, Ada tells the resellers.`,
  })
  seed.page({
    key: 'weekly-1',
    title: 'Weekly product sync: launch date',
    icon: '📌',
    parent: { page: 'meetings' },
    by: ada,
    createdDaysAgo: 9,
    editedDaysAgo: 9,
    content: `
1. **Launch moves one week**, so that support can be trained.
2. The search beta has 340 users; 71 % came back in the second week.
3. Open question: do we show the new search to free users from day one? Ada asks finance.`,
  })
  seed.page({
    key: 'interview',
    title: 'Customer interview: Bakery Lindqvist',
    icon: '🥐',
    parent: { page: 'meetings' },
    by: ada,
    createdDaysAgo: 16,
    editedDaysAgo: 15,
    content: `
Runs four shops with one shared tablet in each. Wants to find yesterday's order list without typing.

> "If I have to log in again with flour on my hands, I use paper."

What we learn: sessions that end overnight cost us the smallest customers.`,
  })
  seed.page({
    key: 'brand',
    title: 'Brand voice',
    icon: '🎨',
    parent: { teamspace: 'product' },
    by: ada,
    createdDaysAgo: 300,
    editedDaysAgo: 90,
    content: `
We write as we speak to a colleague: short sentences, no superlatives, numbers instead of adjectives.
Say what happens, then what to do. Never blame the reader.`,
  })
  seed.page({
    key: 'incident',
    title: 'Incident review: search outage',
    icon: '🔥',
    parent: { teamspace: 'product' },
    by: ben,
    createdDaysAgo: 33,
    editedDaysAgo: 30,
    content: `
# What happened
For 47 minutes every search answered with nothing, without an error.

# Why
An index was rebuilt in place, and the health check only asked whether the process was alive.

# What we change
- The health check searches for a known page.
- Indexes are built beside the old one and swapped.`,
  })
  seed.page({
    key: 'ideas',
    title: 'Ideas for the winter release',
    icon: '❄️',
    parent: { teamspace: 'product' },
    by: ada,
    createdDaysAgo: 3,
    editedDaysAgo: 3,
  })
  seed.page({
    key: 'archive',
    title: 'Archive: release notes of version 1',
    icon: '🗄️',
    parent: { teamspace: 'product' },
    by: ben,
    createdDaysAgo: 700,
    editedDaysAgo: 250,
    archived: true,
    content: releaseNotes(),
  })
  seed.page({
    key: 'onboarding',
    title: 'Onboarding',
    icon: '👋',
    parent: { teamspace: 'people' },
    by: ada,
    createdDaysAgo: 400,
    editedDaysAgo: 20,
    content: `
Welcome! Your first week has one goal: ship something small.

1. Day 1: accounts, laptop, lunch with your team.
2. Day 2: read the <mention-page url="${'https://app.notion.com/p/'}${seed.idOf('page', 'roadmap').replaceAll('-', '')}">Product roadmap</mention-page> and ask three questions about it.
3. Day 3 to 5: one small change, from idea to release, with your buddy.`,
  })
  seed.page({
    key: 'holidays',
    title: 'Holidays and leave',
    icon: '🏖️',
    parent: { teamspace: 'people' },
    by: ada,
    createdDaysAgo: 380,
    editedDaysAgo: 45,
    content:
      '30 days for everybody. Put them into the team calendar two weeks ahead; sick days need no note before the fourth.',
  })
  seed.page({
    key: 'architecture',
    title: 'Architecture overview',
    icon: '🏗️',
    parent: { teamspace: 'engineering' },
    by: ben,
    createdDaysAgo: 150,
    editedDaysAgo: 12,
    content: 'Three services and one database. Ada is not in this teamspace, so she cannot see this page.',
  })
  seed.page({
    key: 'scratchpad',
    title: "Ada's scratchpad",
    icon: '✏️',
    parent: { privateOf: ada },
    by: ada,
    createdDaysAgo: 60,
    editedDaysAgo: 0,
    content: 'Ask finance about free users. Book the train. Birthday of Ben on the 12th: cake.',
  })
  seed.page({
    key: 'ben-goals',
    title: "Ben's goals for the year",
    icon: '🔒',
    parent: { privateOf: ben },
    by: ben,
    createdDaysAgo: 100,
    editedDaysAgo: 50,
    content: 'Only Ben sees this page.',
  })
  seed.page({
    key: 'ben-shared',
    title: 'Draft: conference talk about search',
    icon: '🎤',
    parent: { privateOf: ben },
    by: ben,
    createdDaysAgo: 14,
    editedDaysAgo: 4,
    sharedWith: [ada],
    content: 'Private to Ben, and shared with Ada. Title idea: "Finding things is a team sport".',
  })

  seed.database({
    key: 'tasks',
    title: 'Tasks',
    icon: '✅',
    description: 'What has to be done for the launch.',
    parent: { teamspace: 'product' },
    by: ben,
    properties: {
      Name: { type: 'title' },
      Status: { type: 'status', options: ['Not started', 'In progress', 'Done'] },
      Priority: { type: 'select', options: ['High', 'Medium', 'Low'] },
      Due: { type: 'date' },
      Effort: { type: 'number' },
      Blocked: { type: 'checkbox' },
      Owner: { type: 'person' },
    },
    views: [
      { name: 'All tasks', type: 'table', sort: { property: 'date:Due:start', descending: false } },
      { name: 'In progress', type: 'board', filter: { property: 'Status', equals: 'In progress' } },
    ],
    template: { name: 'Task', content: '## Why\n\n## Done when\n- [ ] ' },
  })
  TASKS.forEach((task, index) => {
    const owner = PEOPLE[task.owner]
    seed.page({
      key: `task-${index}`,
      title: task.title,
      parent: { dataSource: 'tasks' },
      by: owner,
      createdDaysAgo: 30 - index,
      editedDaysAgo: index,
      properties: {
        Status: task.status,
        Priority: task.priority,
        'date:Due:start': new Date(now + task.dueInDays * DAY).toISOString().slice(0, 10),
        'date:Due:end': null,
        'date:Due:is_datetime': 0,
        Effort: task.effort,
        Blocked: index === 1 ? '__YES__' : '__NO__',
        Owner: JSON.stringify([`user://${owner.id}`]),
      },
      content: task.done ? 'Finished; see the meeting notes.' : '',
    })
  })

  seed.discussion('launch-date', 'launch-plan', 'Public launch', [
    [ben, 30, 'Can we move this to the morning? The on-call rota changes at noon.'],
    [ada, 26, 'Yes: 9:00 it is.'],
  ])
  seed.discussion('launch-page', 'launch-plan', undefined, [[ada, 5, 'Please read this before Monday.']])
}

/** Long enough to be truncated by `fetch`. */
function releaseNotes(): string {
  const notes = Array.from({ length: 400 }, (_, index) => {
    const build = 1000 - index
    return `## Build ${build}\n- Fixed ${(build * 7) % 13} small things that customers had reported.\n- Search index format ${build % 4}; start-up takes ${20 + (build % 30)} ms less than before on the reference machine.\n- Internal: dependencies brought up to date, tests made faster.`
  })
  return notes.join('\n\n')
}
