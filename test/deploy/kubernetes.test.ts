import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { repositoryRoot, type Environment } from '@nmg/process'
import type { HorizontalPodAutoscaler } from 'kubernetes-types/autoscaling/v2.js'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { Container, PodSpec, Service } from 'kubernetes-types/core/v1.js'
import type { Ingress, NetworkPolicy } from 'kubernetes-types/networking/v1.js'
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.js'
import { afterAll, describe, expect, it } from 'vitest'
import { Settings } from '../../apps/gateway/src/config.ts'
import { deployFiles, readDeployFile, readImage, readYaml } from './files.ts'
import { makeSecrets, startSettings, unknownSettings, type Program } from './settings.ts'

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
}

interface Generator {
  readonly name: string
  readonly literals?: readonly string[]
  readonly files?: readonly string[]
}

interface Kustomization {
  readonly namespace?: string
  readonly resources: readonly string[]
  readonly images?: readonly { readonly name: string }[]
  readonly configMapGenerator?: readonly Generator[]
  readonly secretGenerator?: readonly Generator[]
}

const BASE = 'kubernetes/base'
const EXAMPLE = 'kubernetes/example'
const PROGRAMS = ['gateway', 'web'] as const satisfies readonly Program[]

const kustomization = (folder: string) => readYaml(`${folder}/kustomization.yaml`)[0] as Kustomization
const manifests = [BASE, EXAMPLE].flatMap((folder) =>
  deployFiles(folder)
    .filter((file) => file.endsWith('.yaml') && basename(file) !== 'kustomization.yaml')
    .flatMap((file) => readYaml(file) as Manifest[]),
)
const example = kustomization(EXAMPLE)

function manifest<T>(kind: string, name: string): T {
  const found = manifests.filter((one) => one.kind === kind && one.metadata.name === name)
  if (found.length !== 1) throw new Error(`There are ${found.length} manifests of ${kind} ${name}.`)
  return found[0] as T
}

function podOf(program: Program): { pod: PodSpec; container: Container; labels: Record<string, string> } {
  const { spec } = manifest<Deployment>('Deployment', program)
  const pod = spec?.template.spec
  const [container] = pod?.containers ?? []
  if (!pod || !container) throw new Error(`The Deployment ${program} has no container.`)
  return { pod, container, labels: spec.template.metadata?.labels ?? {} }
}

const literals = (name: string): Record<string, string> =>
  Object.fromEntries(
    (example.configMapGenerator ?? [])
      .filter((generator) => generator.name === name)
      .flatMap((generator) => generator.literals ?? [])
      .map((literal) => literal.split(/=(.*)/s).slice(0, 2) as [string, string]),
  )

/** The environment of a container as the kubelet creates it: `$(NAME)` is replaced by earlier variables. */
function environmentOf(program: Program): Environment {
  const { container } = podOf(program)
  const env: Record<string, string> = {}
  for (const { configMapRef } of container.envFrom ?? []) Object.assign(env, literals(configMapRef?.name ?? ''))
  for (const { name, value, valueFrom } of container.env ?? []) {
    const { name: map = '', key = '' } = valueFrom?.configMapKeyRef ?? {}
    const given = valueFrom ? literals(map)[key] : value
    if (given === undefined) throw new Error(`${name} has no value.`)
    env[name] = given.replace(/\$\((\w+)\)/g, (whole, earlier: string) => env[earlier] ?? whole)
  }
  return env
}

const selects = (selector: Record<string, string> | undefined, labels: Record<string, string>) =>
  selector !== undefined && Object.entries(selector).every(([label, value]) => labels[label] === value)

/** The type of a manifest in kubernetes-types. */
function typeModule({ apiVersion }: Manifest): string {
  const [group = '', version] = apiVersion.split('/')
  return `kubernetes-types/${version === undefined ? `core/${group}` : `${group.split('.')[0]}/${version}`}.js`
}

/** The compiler's errors for each manifest: unknown or missing members, or members of a wrong type. */
function typeErrors(checked: readonly Manifest[]): string[][] {
  const folder = mkdtempSync(join(tmpdir(), 'nmg-manifests-'))
  try {
    symlinkSync(join(repositoryRoot, 'node_modules'), join(folder, 'node_modules'))
    for (const [index, one] of checked.entries()) {
      writeFileSync(
        join(folder, `manifest-${index}.ts`),
        `import type { ${one.kind} } from '${typeModule(one)}'\nexport const manifest: ${one.kind} = ${JSON.stringify(one)}\n`,
      )
    }
    const compilerOptions = { strict: true, noEmit: true, skipLibCheck: true, types: [], module: 'nodenext' }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
    const tsc = join(repositoryRoot, 'node_modules/.bin/tsc')
    const { stdout, error } = spawnSync(tsc, ['-p', folder, '--pretty', 'false'], { encoding: 'utf8', cwd: folder })
    if (error) throw error
    const lines = stdout.split('\n').filter((line) => line.includes('error TS'))
    const found = checked.map((_, index) => lines.filter((line) => line.startsWith(`manifest-${index}.ts`)))
    expect(found.flat(), 'errors that are of no manifest').toEqual(expect.arrayContaining(lines))
    return found
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('the manifests', () => {
  it('have the types of the Kubernetes API, without unknown members', () => {
    const deployment = manifest<Deployment & Manifest>('Deployment', 'web')
    const changed = (change: (container: Record<string, unknown>) => void) => {
      const copy = structuredClone(deployment)
      change(copy.spec?.template.spec?.containers[0] as unknown as Record<string, unknown>)
      return copy
    }
    const wrong = [
      changed((container) => (container['readinesProbe'] = {})),
      changed((container) => (container['image'] = 24)),
      changed((container) => delete container['name']),
      { ...deployment, apiVersion: 'apps/v1', kind: 'Deploymnet' },
    ]
    const errors = typeErrors([...manifests, ...wrong])

    expect(errors.slice(0, manifests.length)).toEqual(manifests.map(() => []))
    for (const found of errors.slice(manifests.length)) expect(found).not.toEqual([])
  })

  it('are listed exactly once in their kustomization', () => {
    for (const folder of [BASE, EXAMPLE]) {
      const files = deployFiles(folder).map((file) => basename(file))
      expect(
        kustomization(folder)
          .resources.filter((name) => !name.startsWith('..'))
          .toSorted(),
      ).toEqual(files.filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml').toSorted())
    }
    expect(example.resources[0]).toBe('../base')
    expect(new Set(manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).size).toBe(manifests.length)
  })

  it('generate exactly what pods refer to', () => {
    const maps = PROGRAMS.flatMap((program) => {
      const { container } = podOf(program)
      return [
        ...(container.envFrom ?? []).map(({ configMapRef }) => configMapRef?.name),
        ...(container.env ?? []).flatMap(({ valueFrom }) => valueFrom?.configMapKeyRef?.name ?? []),
      ]
    })
    expect(new Set(maps)).toEqual(new Set(example.configMapGenerator?.map(({ name }) => name)))
    expect(PROGRAMS.map((program) => podOf(program).pod.volumes?.[0]?.secret?.secretName)).toEqual(
      example.secretGenerator?.map(({ name }) => name),
    )
    expect(example.images?.map(({ name }) => name)).toEqual(PROGRAMS.map((program) => podOf(program).container.image))
    expect(manifest<Manifest>('Namespace', example.namespace ?? '')).toBeDefined()
  })
})

describe.each(PROGRAMS)('the %s in Kubernetes', (program) => {
  const { pod, container, labels } = podOf(program)
  const { port } = readImage(program)
  const secrets = makeSecrets()
  afterAll(secrets.remove)

  it('gets settings that exist, and starts with them', () => {
    const env = environmentOf(program)
    expect(unknownSettings(program, env)).toEqual([])
    const settings = startSettings(program, { ...readImage(program).env, ...env }, secrets.folder)
    const origin = literals('public')['URL'] ?? ''
    expect(settings).toMatchObject(
      program === 'gateway'
        ? {
            publicUrl: new URL(origin),
            redirectUri: `${origin}/integrations/notion/mcp/oauth/callback`,
            tokenIssuers: [{ issuer: `${origin}/api/auth` }],
          }
        : { WEB_URL: origin, GATEWAY_PUBLIC_URL: origin },
    )
  })

  it('reads exactly the mounted secrets, as files', () => {
    const [mount] = container.volumeMounts ?? []
    const read = Object.entries(environmentOf(program)).filter(([name]) => name.endsWith('_FILE'))
    const given = example.secretGenerator?.find(({ name }) => name === program)?.files ?? []
    expect(read.map(([, path]) => path).toSorted()).toEqual(
      given.map((file) => `${mount?.mountPath}/${basename(file)}`),
    )
    expect(given.map((file) => basename(file)).every((name) => secrets.names.includes(name))).toBe(true)
    expect(pod.volumes?.find(({ name }) => name === mount?.name)?.secret?.defaultMode).toBe(0o440)
  })

  it('follows the restricted Pod Security Standard, with a read-only root file system', () => {
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    })
    const { runAsUser, runAsGroup } = pod.securityContext ?? {}
    expect(`${runAsUser}:${runAsGroup}`).toBe(readImage(program).user)
    expect(pod.containers).toHaveLength(1)
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(container.volumeMounts?.map(({ mountPath }) => mountPath)).toContain('/tmp')
  })

  it('is probed at the port on which the image listens', () => {
    expect(container.ports).toEqual([{ name: 'http', containerPort: port }])
    expect(manifest<Service>('Service', program).spec?.ports).toEqual([{ name: 'http', port, targetPort: 'http' }])
    expect(container).toMatchObject({
      startupProbe: { httpGet: { path: '/healthz', port: 'http' } },
      readinessProbe: { httpGet: { path: '/readyz', port: 'http' } },
      livenessProbe: { httpGet: { path: '/healthz', port: 'http' } },
    })
  })

  it('has enough time for preStop and SHUTDOWN_GRACE_SECONDS', () => {
    const pause = Number(container.lifecycle?.preStop?.exec?.command?.[1])
    const grace = Number(environmentOf(program)['SHUTDOWN_GRACE_SECONDS'])
    // The process ends after 30 seconds at the latest.
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(pause + Math.max(grace, 30))
    const { periodSeconds = 10, failureThreshold = 3 } = container.readinessProbe ?? {}
    expect(periodSeconds * failureThreshold).toBeLessThanOrEqual(pause)
  })

  it('is selected by its own resources only', () => {
    const other = podOf(program === 'web' ? 'gateway' : 'web').labels
    const selectors = [
      manifest<Deployment>('Deployment', program).spec?.selector.matchLabels,
      manifest<Service>('Service', program).spec?.selector,
      manifest<PodDisruptionBudget>('PodDisruptionBudget', program).spec?.selector?.matchLabels,
      manifest<NetworkPolicy>('NetworkPolicy', program).spec?.podSelector.matchLabels,
    ]
    for (const selector of selectors) {
      expect(selects(selector, labels)).toBe(true)
      expect(selects(selector, other)).toBe(false)
    }
    const { podSelector, policyTypes } = manifest<NetworkPolicy>('NetworkPolicy', 'default-deny').spec ?? {}
    expect([selects(podSelector?.matchLabels, labels), policyTypes]).toEqual([true, ['Ingress', 'Egress']])
  })

  it('has at least two replicas, of which a drain evicts one at a time', () => {
    const { spec } = manifest<HorizontalPodAutoscaler>('HorizontalPodAutoscaler', program)
    expect(spec).toMatchObject({ scaleTargetRef: { kind: 'Deployment', name: program }, minReplicas: 2 })
    expect(container.resources?.requests?.['cpu'], 'of which the utilization is measured').toBeDefined()
    expect(manifest<Deployment>('Deployment', program).spec?.replicas, 'which the autoscaler sets').toBeUndefined()
    expect(manifest<PodDisruptionBudget>('PodDisruptionBudget', program).spec?.maxUnavailable).toBe(1)
  })

  it('may connect to the other, which accepts it', () => {
    const other = program === 'web' ? 'gateway' : 'web'
    const to = manifest<NetworkPolicy>('NetworkPolicy', program).spec?.egress ?? []
    const from = manifest<NetworkPolicy>('NetworkPolicy', other).spec?.ingress ?? []
    const peers = (list: typeof to | typeof from) =>
      list.flatMap((rule) => ('to' in rule ? rule.to : 'from' in rule ? rule.from : undefined) ?? [])
    expect(peers(to).some(({ podSelector }) => selects(podSelector?.matchLabels, podOf(other).labels))).toBe(true)
    expect(peers(from).some(({ podSelector }) => selects(podSelector?.matchLabels, labels))).toBe(true)
    expect(to.flatMap(({ ports = [] }) => ports.map((entry) => entry.port))).toContain(readImage(other).port)
  })
})

describe('the ingress', () => {
  const { metadata, spec } = manifest<Ingress>('Ingress', 'notion-gateway')
  const [rule] = spec?.rules ?? []
  const annotations = metadata?.annotations ?? {}

  it('serves the public host over TLS', () => {
    const { host } = new URL(literals('public')['URL'] ?? '')
    expect([rule?.host, spec?.tls?.[0]?.hosts]).toEqual([host, [host]])
  })

  it('refers to existing services', () => {
    for (const { backend } of rule?.http?.paths ?? []) {
      const { name = '', port } = backend.service ?? {}
      const ports = manifest<Service>('Service', name).spec?.ports?.map((entry) => entry.name)
      expect(ports).toContain(port?.name)
    }
  })

  it('routes the same paths to the gateway as the Caddyfile', () => {
    const paths = (rule?.http?.paths ?? [])
      .filter(({ backend }) => backend.service?.name === 'gateway')
      .map(({ path, pathType }) => (pathType === 'Prefix' ? `${path}/*` : path))
    const [, gateways = ''] = /@gateway path (.+)\n/.exec(readDeployFile('Caddyfile')) ?? []
    expect(gateways.split(' ')).toEqual(paths)
  })

  it.each([
    ['nginx.org', 'False', 'client-max-body-size'],
    ['nginx.ingress.kubernetes.io', 'off', 'proxy-body-size'],
  ])('streams by annotations of %s: no buffers, and the time and size that the gateway allows', (prefix, off, size) => {
    const settings = Settings.parse({})
    const given = (name: string) => annotations[`${prefix}/${name}`] ?? ''
    expect(given('proxy-buffering')).toBe(off)
    for (const name of ['proxy-read-timeout', 'proxy-send-timeout'])
      expect(Number.parseInt(given(name), 10)).toBeGreaterThanOrEqual(settings.PROXY_STREAM_MAX_AGE_SECONDS)
    expect(given(size)).toMatch(/^\d+m$/)
    expect(Number.parseInt(given(size), 10) * 1024 * 1024).toBeGreaterThan(settings.PROXY_MAX_BODY_BYTES)
  })
})
