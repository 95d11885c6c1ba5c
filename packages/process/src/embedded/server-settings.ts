import type { ClusterSettings } from './cluster.ts'

export interface ServerSettings extends ClusterSettings {
  socketFolder: string
}

/** PostgreSQL's command line. All settings are passed as arguments, which override the configuration file. */
export function serverCommand({ binaries, runAs, folder, socketFolder, durable }: ServerSettings): string[] {
  const settings: Record<string, string> = {
    // Only a Unix socket in a private folder: no TCP port that others could reach or that could be in use.
    listen_addresses: '',
    port: '5432',
    unix_socket_directories: socketFolder.replaceAll('"', '""'),
    unix_socket_permissions: '0700',

    // A small server: a few dozen connections, little memory, few processes.
    max_connections: '200',
    shared_buffers: '64MB',
    max_wal_size: '256MB',
    wal_level: 'minimal',
    max_wal_senders: '0',
    io_method: 'sync',
    max_parallel_workers: '0',
    jit: 'off',

    fsync: durable ? 'on' : 'off',
    synchronous_commit: durable ? 'on' : 'off',
    full_page_writes: durable ? 'on' : 'off',

    // The log is about the server. Clients report failed statements; logged here, they could expose secret values.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
    log_line_prefix: '%m [%p] ',
    log_timezone: 'UTC',
    timezone: 'UTC',
  }
  return [
    ...runAs.prefix,
    binaries.postgres,
    '-D',
    folder,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]
}
