/** The generated secrets of a DATA_DIR in a separate file: sealed with a passphrase, or readable by this user only. */
import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto'
import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { StartupError } from '../packages/process/src/index.ts'

/** Content by file name. */
export type Keys = Readonly<Record<string, string>>

const LARGEST_BYTES = 64 * 1024

/** The files that the processes have generated: those that only their owner can read, apart from logs and locks. */
export function readKeys(folder: string): Keys {
  const names = readdirSync(folder).filter((name) => {
    const { mode, size } = lstatSync(join(folder, name))
    const isSecret = lstatSync(join(folder, name)).isFile() && (mode & 0o077) === 0 && size > 0 && size < LARGEST_BYTES
    return isSecret && !/\.(log|log\.\d|lock|pid)$|^\./.test(name)
  })
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
}

/** Memory that each guess of the passphrase needs: 128 MB. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 }

const Sealed = z.object({
  scrypt: z.object({ salt: z.string() }),
  nonce: z.string(),
  tag: z.string(),
  keys: z.string(),
})
const Plain = z.record(z.string().regex(/^[\w.-]+$/), z.string())

/** Writes a new file for this user only. */
export function writeKeysFile(path: string, keys: Keys, passphrase: string | undefined): void {
  writeFileSync(path, `${JSON.stringify(passphrase === undefined ? keys : seal(keys, passphrase), undefined, 2)}\n`, {
    mode: 0o600,
    flag: 'wx',
  })
}

/** @throws {StartupError} when a passphrase is missing or wrong. */
export function readKeysFile(path: string, passphrase: string | undefined): Keys {
  if (!existsSync(path)) throw new StartupError(`The key file ${path} does not exist. Name it with --keys.`)
  const json: unknown = JSON.parse(readFileSync(path, 'utf8'))
  const sealed = Sealed.safeParse(json)
  if (!sealed.success) return Plain.parse(json)
  if (passphrase === undefined) {
    throw new StartupError(`The keys in ${path} are sealed. Set BACKUP_PASSPHRASE or BACKUP_PASSPHRASE_FILE.`)
  }
  return open(sealed.data, passphrase, path)
}

function seal(keys: Keys, passphrase: string): z.infer<typeof Sealed> {
  const [salt, nonce] = [randomBytes(16), randomBytes(12)]
  const cipher = createCipheriv('aes-256-gcm', scryptSync(passphrase, salt, 32, SCRYPT), nonce)
  const text = Buffer.concat([cipher.update(JSON.stringify(keys)), cipher.final()]).toString('base64')
  const base64 = (bytes: Buffer) => bytes.toString('base64')
  return { scrypt: { salt: base64(salt) }, nonce: base64(nonce), tag: base64(cipher.getAuthTag()), keys: text }
}

function open({ scrypt, nonce, tag, keys }: z.infer<typeof Sealed>, passphrase: string, path: string): Keys {
  const bytes = (text: string) => Buffer.from(text, 'base64')
  const key = scryptSync(passphrase, bytes(scrypt.salt), 32, SCRYPT)
  const decipher = createDecipheriv('aes-256-gcm', key, bytes(nonce), { authTagLength: 16 })
  decipher.setAuthTag(bytes(tag))
  try {
    return Plain.parse(JSON.parse(Buffer.concat([decipher.update(bytes(keys)), decipher.final()]).toString()))
  } catch (cause) {
    throw new StartupError(`The passphrase does not open the keys in ${path}.`, { cause })
  }
}

/**
 * Writes the secrets into a folder that has none of them, or the same ones.
 *
 * @throws {StartupError} when the folder has a different secret: both would be needed then.
 */
export function restoreKeys(folder: string, keys: Keys): void {
  for (const [name, content] of Object.entries(keys)) {
    const path = join(folder, name)
    if (!existsSync(path)) continue
    if (readFileSync(path, 'utf8').trim() !== content.trim()) {
      throw new StartupError(`${path} contains a different secret than the backup. Restore into an empty DATA_DIR.`)
    }
  }
  for (const [name, content] of Object.entries(keys)) {
    const path = join(folder, name)
    if (!existsSync(path)) writeFileSync(path, content, { mode: 0o600, flag: 'wx' })
  }
}
