/** PostgreSQL clusters for tests with archives, standbys and promotion, which the embedded database lacks. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { findBinaries, type Binaries } from '../../../packages/process/src/embedded/binaries.ts'
import { createCluster, PROGRAM_ENVIRONMENT } from '../../../packages/process/src/embedded/cluster.ts'
import { changeOwner, chooseRunAs } from '../../../packages/process/src/embedded/run-as.ts'
import { startWatched, type WatchedProcess } from '../../../packages/process/src/watchdog.ts'
import { withClient } from '../test/support/database-copies.ts'

export interface Cluster {
  /** The cluster's files. */
  readonly folder: string
  url(database?: string): string
  start(): Promise<void>
  /** An orderly stop, unlike `crash`, which simulates a power failure. */
  stop(): Promise<void>
  crash(): Promise<void>
  /** Copies the files of a stopped cluster. Only the file system can distinguish the copy. */
  copy(): Cluster
  /** Creates a standby of this running cluster. Not started. */
  standby(): Promise<Cluster>
  /** Creates a point-in-time recovery to `moment` from a base backup and the archive. Not started. */
  pointInTime(base: Cluster, moment: Date): Cluster
}

const settings = (socketFolder: string, archive: string): Record<string, string> => ({
  listen_addresses: '',
  unix_socket_directories: socketFolder,
  wal_level: 'replica',
  max_wal_senders: '4',
  archive_mode: 'on',
  archive_command: `cp %p ${archive}/%f`,
  shared_buffers: '16MB',
  fsync: 'off',
})

/** @param binaries the PostgreSQL binaries. Default: those of the embedded database. */
export async function makeCluster(binaries: Binaries = findBinaries()): Promise<Cluster> {
  const root = mkdtempSync(join(tmpdir(), 'nmg-cluster-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const archive = join(root, 'archive')
  mkdirSync(archive)
  const runAs = chooseRunAs(join(root, 'first'), binaries.postgres)
  const logFile = join(root, 'log')
  changeOwner(archive, runAs)
  let count = 0

  const place = (folder: string): Cluster => {
    const socketFolder = `${folder}-s`
    mkdirSync(socketFolder, { mode: 0o700 })
    changeOwner(socketFolder, runAs)
    let server: WatchedProcess | undefined
    const url = (database = 'gateway') =>
      `postgresql://postgres@localhost:5432/${database}?host=${encodeURIComponent(socketFolder)}`
    const files = () => {
      const copy = join(root, `copy-${(count += 1)}`)
      copyFiles(folder, copy)
      rmSync(join(copy, 'postmaster.pid'), { force: true })
      return copy
    }
    const self: Cluster = {
      folder,
      url,
      async start() {
        const options = Object.entries(settings(socketFolder, archive)).flatMap(([name, value]) => [
          '-c',
          `${name}=${value}`,
        ])
        server = startWatched([...runAs.prefix, binaries.postgres, '-D', folder, ...options], {
          logFile,
          env: PROGRAM_ENVIRONMENT,
          user: runAs.user,
        })
        for (;;) {
          if (server.hasExited())
            throw new Error(`a cluster did not start: ${readFileSync(logFile, 'utf8').slice(-2_000)}`)
          if (await isThere(url('postgres'))) return
          await sleep(50)
        }
      },
      async stop() {
        await server?.stop()
        server = undefined
      },
      async crash() {
        const pid = Number(spawnSync('head', ['-1', join(folder, 'postmaster.pid')], { encoding: 'utf8' }).stdout)
        process.kill(pid, 'SIGQUIT')
        await server?.exited
        server = undefined
      },
      copy() {
        if (existsSync(join(folder, 'postmaster.pid'))) throw new Error('a running cluster is not copied by its files')
        return place(files())
      },
      async standby() {
        const copy = await withClient(url('postgres'), async (client) => {
          await client.query(`select pg_backup_start('standby', true)`)
          const made = files()
          const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)')
          writeFileSync(join(made, 'backup_label'), rows[0]?.labelfile ?? '')
          return made
        })
        writeFileSync(join(copy, 'standby.signal'), '')
        writeFileSync(
          join(copy, 'postgresql.auto.conf'),
          `primary_conninfo = 'host=${socketFolder} user=postgres'\nrestore_command = 'cp ${archive}/%f %p'\n`,
        )
        changeOwner(copy, runAs)
        return place(copy)
      },
      pointInTime(base, moment) {
        const { folder: restored } = base
        rmSync(join(restored, 'standby.signal'))
        writeFileSync(join(restored, 'recovery.signal'), '')
        writeFileSync(
          join(restored, 'postgresql.auto.conf'),
          `restore_command = 'cp ${archive}/%f %p'\nrecovery_target_time = '${moment.toISOString().replace('T', ' ').replace('Z', '+00')}'\nrecovery_target_action = 'promote'\n`,
        )
        changeOwner(restored, runAs)
        return base
      },
    }
    onTestFinished(() => self.stop())
    return self
  }

  const folder = join(root, 'first')
  await createCluster({ binaries, runAs, folder, logFile, durable: false })
  const cluster = place(folder)
  await cluster.start()
  await withClient(cluster.url('postgres'), (client) => client.query('create database gateway'))
  return cluster
}

/** Copies with modes, owners and times. Files deleted meanwhile by a running server are ignored. */
export function copyFiles(from: string, to: string): void {
  spawnSync('cp', ['-a', from, to])
}

async function isThere(url: string): Promise<boolean> {
  return withClient(url, (client) => client.query('select')).then(
    () => true,
    () => false,
  )
}
