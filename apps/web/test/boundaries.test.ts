import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const APP = resolve(import.meta.dirname, '..')

interface Import {
  readonly from: string
  readonly to: string
}

describe('the folders of the web app', () => {
  it('keep features apart from each other', () => {
    const crossing = importsOf('features').filter(
      ({ from, to }) => to.startsWith('features/') && featureOf(to) !== featureOf(from),
    )
    expect(crossing).toEqual([])
  })

  it('point one way: components and lib know no feature, features know no page', () => {
    const upwards = [
      ...importsOf('components').filter(({ to }) => !/^(components|lib)\//.test(to)),
      ...importsOf('lib').filter(({ to }) => !to.startsWith('lib/')),
      ...importsOf('features').filter(({ to }) => to.startsWith('app/') || to.startsWith('server/')),
    ]
    expect(upwards).toEqual([])
  })

  it('give features and components the parts that they use, which only pages, routes and guards look up', () => {
    const lookingUp = ['components', 'features'].flatMap((folder) =>
      filesOf(join(APP, folder)).filter((file) =>
        /import \{[^}]*\} from '@\/lib\/(?:runtime|request-guards|page-guards)/.test(read(file)),
      ),
    )
    expect(lookingUp).toEqual([])
  })

  it('are all looked at', () => {
    expect(importsOf('features').length).toBeGreaterThan(50)
  })
})

const featureOf = (path: string) => path.split('/')[1]

/** Imports of the app's own files. */
function importsOf(folder: string): Import[] {
  return filesOf(join(APP, folder)).flatMap((file) =>
    [...read(file).matchAll(/(?:from |import )'((?:@\/|\.)[^']+)'/g)].map(([, target = '']) => ({
      from: relative(APP, file),
      to: target.startsWith('@/') ? target.slice(2) : relative(APP, resolve(file, '..', target)),
    })),
  )
}

const read = (file: string) => readFileSync(file, 'utf8')

function filesOf(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return filesOf(path)
    return /\.tsx?$/.test(name) ? [path] : []
  })
}
