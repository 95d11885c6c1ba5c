import type { HoldReason } from '@nmg/contract'
import { describe, expect, it } from 'vitest'
import {
  identifyingUrl,
  compareIdentity,
  type DatabaseProperties,
  type IdentityComparison,
  type RecordedIdentity,
} from './database-identity.ts'

const original: DatabaseProperties = {
  systemIdentifier: '7578000000000000001',
  databaseOid: '16385',
  timeline: '00000001',
  publicUrl: 'https://notion.example/',
  dataFolder: '4711 1764400000000000000',
}
const recorded: RecordedIdentity = { ...original, isOriginalRow: true, count: 100, plan: null }
const held = (...reasons: [HoldReason, ...HoldReason[]]): IdentityComparison => ({ kind: 'held', reasons })

interface Row {
  readonly event: string
  readonly recorded?: Partial<RecordedIdentity>
  readonly seen?: Partial<DatabaseProperties>
  readonly mark?: number | null
  readonly expected: IdentityComparison
}

const promoted = { timeline: '00000002' }
const rows: Row[] = [
  { event: 'a restart, a crash, a rename, VACUUM FULL', expected: { kind: 'same' } },
  { event: 'a restart without any mark', mark: null, expected: { kind: 'same' } },
  { event: 'a restart before the last mark was written', mark: 99, expected: { kind: 'same' } },
  {
    event: 'a dump in another database of the cluster',
    recorded: { isOriginalRow: false },
    seen: { databaseOid: '16500' },
    expected: held('restored_dump', 'copied_database'),
  },
  {
    event: 'a dump put back into the same database',
    recorded: { isOriginalRow: false },
    expected: held('restored_dump'),
  },
  { event: 'CREATE DATABASE … TEMPLATE', seen: { databaseOid: '16500' }, expected: held('copied_database') },
  {
    event: 'a dump in another cluster',
    recorded: { isOriginalRow: false },
    seen: { systemIdentifier: '2' },
    mark: null,
    expected: held('restored_dump', 'other_cluster'),
  },
  { event: 'pg_upgrade', seen: { systemIdentifier: '2', timeline: '00000007' }, expected: held('other_cluster') },
  {
    event: 'pg_upgrade, without a mark',
    seen: { systemIdentifier: '2', timeline: '00000007' },
    mark: null,
    expected: held('other_cluster'),
  },
  { event: 'a snapshot put back', recorded: { count: 99 }, expected: held('credentials_missing') },
  { event: 'a snapshot put back, without a mark', recorded: { count: 99 }, mark: null, expected: { kind: 'same' } },
  { event: 'a standby promoted', seen: promoted, expected: { kind: 'promoted' } },
  { event: 'a standby promoted that has more than the mark', seen: promoted, mark: 98, expected: { kind: 'promoted' } },
  {
    event: 'a standby promoted that lacks commits',
    recorded: { count: 99 },
    seen: promoted,
    expected: held('credentials_missing'),
  },
  { event: 'a standby promoted, without a mark', seen: promoted, mark: null, expected: held('timeline_unproven') },
  {
    event: 'a point-in-time copy elsewhere',
    recorded: { count: 97 },
    seen: promoted,
    mark: null,
    expected: held('timeline_unproven'),
  },
  {
    event: 'a file copy with another public URL',
    seen: { publicUrl: 'https://staging.example/' },
    expected: held('other_public_url'),
  },
  { event: 'a file copy on a laptop', seen: { publicUrl: null }, expected: held('other_public_url') },
  { event: 'a public URL set for the first time', recorded: { publicUrl: null }, expected: { kind: 'same' } },
  { event: 'a copied folder', seen: { dataFolder: '4712 1764400000000000001' }, expected: held('copied_data_folder') },
  {
    event: 'a folder unpacked where another one was removed',
    seen: { dataFolder: '4711 1764400000000000001' },
    expected: held('copied_data_folder'),
  },
  {
    event: 'a folder on a file system without creation times',
    seen: { dataFolder: '4711' },
    expected: { kind: 'same' },
  },
  {
    event: 'a copied folder on a file system without creation times',
    seen: { dataFolder: '4712' },
    expected: held('copied_data_folder'),
  },
  {
    event: 'a server whose properties cannot be read',
    seen: { systemIdentifier: null, databaseOid: null, timeline: null, dataFolder: null },
    expected: { kind: 'same' },
  },
  {
    event: 'a database recorded without properties',
    recorded: { systemIdentifier: null, databaseOid: null, timeline: null, dataFolder: null },
    expected: { kind: 'same' },
  },
  {
    event: 'a restore that was announced',
    recorded: { isOriginalRow: false, plan: 'adopt' },
    expected: { kind: 'adopted' },
  },
  { event: 'an announced restore that did not happen', recorded: { plan: 'adopt' }, expected: { kind: 'same' } },
  {
    event: 'the copy of a move',
    recorded: { plan: 'move' },
    seen: { dataFolder: '9 9' },
    expected: { kind: 'adopted' },
  },
  { event: 'the original of a move', recorded: { plan: 'move' }, expected: held('moved_away') },
]

describe('compareIdentity', () => {
  it.each(rows)('classifies $event', ({ recorded: changes, seen, mark = 100, expected }) => {
    expect(compareIdentity({ ...recorded, ...changes }, { ...original, ...seen }, mark)).toEqual(expected)
  })
})

describe('identifyingUrl', () => {
  it.each([
    ['https://notion.example', 'https://notion.example/'],
    ['http://10.0.0.1:8000/', 'http://10.0.0.1:8000/'],
    ['http://localhost:8000', null],
    ['http://gateway.localhost', null],
    ['http://127.0.0.1:8123', null],
    ['http://[::1]:8000', null],
  ])('maps %s to %s', (url, expected) => {
    expect(identifyingUrl(new URL(url))).toBe(expected)
  })
  it('is null without a URL', () => {
    expect(identifyingUrl(undefined)).toBeNull()
  })
})
