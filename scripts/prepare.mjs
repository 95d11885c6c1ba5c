// Prepares a command, and finds the Node to run it with. Uses only built-in modules of Node 20.19.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { currentDependencies, currentNode, hasDependencies, OLDEST_NODE, presentNode, SetupError } from './install.mjs'
import { hasWebBuild, isCurrentWebBuild } from './web-build.mjs'

/** True if `root` is a release folder from `npm run build`: complete, and never changed by its commands. */
export function isRelease(root) {
  return existsSync(join(root, 'release.json'))
}

/**
 * Finds the Node to run `command` with. In a checkout, it also updates dependencies and Node, except for `started` commands, which
 * fail instead.
 */
export async function prepare(root, command) {
  if (isRelease(root)) return nodeOfRelease(root)
  if (command.started) return nodeOfBuiltCheckout(root, command)
  const [node] = await Promise.all([currentNode(root), currentDependencies(root, { development: !command.deployed })])
  return node
}

function nodeOfRelease(root) {
  const node = presentNode(root)
  if (node) return node
  throw new SetupError(
    `This release needs Node ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}. Put a newer one first in PATH.`,
  )
}

function nodeOfBuiltCheckout(root, { web: needsWebBuild }) {
  const node = presentNode(root)
  if (!node) {
    throw new SetupError(
      `This is Node ${process.versions.node}; ${OLDEST_NODE.join('.')} or newer is needed. Run npm run build, which installs one.`,
    )
  }
  if (!hasDependencies(root, { development: false })) {
    throw new SetupError('node_modules is not what package-lock.json says. Run npm run build.')
  }
  if (needsWebBuild) {
    if (!hasWebBuild(root)) throw new SetupError('The web app is not built. Run npm run build.')
    if (!isCurrentWebBuild(root)) {
      process.stderr.write('The web app was built from different sources. Run npm run build to update it.\n')
    }
  }
  return node
}
