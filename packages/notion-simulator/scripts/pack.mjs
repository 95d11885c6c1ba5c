// In the repository, package.json points to the TypeScript source; in the tarball, to the output of tsc. This script rewrites it while packing. npm runs
// no lifecycle scripts here (.npmrc), so pack with `npm run tarball`.
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const backup = 'package.json.unpacked'

switch (process.argv[2]) {
  case 'prepare': {
    rmSync('dist', { recursive: true, force: true })
    execFileSync('npm', ['run', 'build'], { stdio: 'inherit' })
    if (!existsSync(backup)) copyFileSync('package.json', backup)
    const { scripts: _scripts, ...manifest } = JSON.parse(readFileSync(backup, 'utf8'))
    const packed = {
      ...manifest,
      types: './dist/index.d.ts',
      exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    }
    writeFileSync('package.json', `${JSON.stringify(packed, null, 2)}\n`)
    break
  }
  case 'restore':
    if (existsSync(backup)) renameSync(backup, 'package.json')
    break
  default:
    throw new Error('pack.mjs prepare | restore')
}
