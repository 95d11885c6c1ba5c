import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { repositoryRoot } from '@nmg/process'
import { expect, it } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import web from '../apps/web/package.json' with { type: 'json' }

const read = (path: string) => readFileSync(path, 'utf8')

/** Every document, by its path. */
const documents = globSync(['*.md', 'docs/**/*.md', 'packages/*/README.md', 'deploy/**/*.md'], { cwd: repositoryRoot })
const prose = (path: string) => read(join(repositoryRoot, path)).replaceAll(/^ *```[^]*?^ *```/gm, '')

/** GitHub's anchor of a heading. */
const anchorOf = (heading: string) =>
  heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\- _]/gu, '')
    .replaceAll(' ', '-')

const anchorsIn = (path: string) => [...read(path).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading))

function brokenLinks(path: string): string[] {
  const links = [...prose(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
  return links.filter((link) => {
    if (/^\w+:/.test(link)) return false
    const [file = '', anchor] = link.split('#')
    const target = file === '' ? join(repositoryRoot, path) : join(repositoryRoot, dirname(path), file)
    return (
      !existsSync(target) || (anchor !== undefined && target.endsWith('.md') && !anchorsIn(target).includes(anchor))
    )
  })
}

it.each(documents)('%s links to files and headings that exist', (path) => {
  expect(brokenLinks(path)).toEqual([])
})

it('names only commands that exist', () => {
  const known = new Set([...Object.keys(manifest.scripts), ...Object.keys(web.scripts)])
  const named = documents
    .filter((path) => !path.startsWith('packages/'))
    .flatMap((path) =>
      [...read(join(repositoryRoot, path)).matchAll(/\bnpm run (?:--silent )?([a-z][\w:-]*)/g)].map(
        ([, name = '']) => `${path}: ${name}`,
      ),
    )
  expect(named.length).toBeGreaterThan(50)
  expect(named.filter((entry) => !known.has(entry.split(': ')[1] ?? ''))).toEqual([])
})
