/**
 * The refresh protocol as a state machine: replicas, the store, the authorization server and the messages between them. Each may proceed at any
 * time, or not at all. {@link explore} visits all reachable states.
 *
 * The state space is finite without a limit on crashes, losses or generations, because only relations are kept: a refresh token is the server's
 * `current` or `previous` one, or `retired`; a version is the stored one or an older one; an intent belongs to a live replica or to none.
 *
 * Time is modelled as the age of an attempt: `permitted` (the token may be sent), `in_flight` (it may no longer be sent, a response may arrive),
 * `over` (no response can arrive; the intent can be taken over). An attempt does not become `over` while the server has its request and has not
 * processed it: this is the protocol's assumption about time (see {@link Assumption}).
 */

/** Status of a refresh token at the server. `replaced`: its grant was replaced by a new consent. */
type Token = 'current' | 'previous' | 'retired' | 'replaced'
type Age = 'permitted' | 'in_flight' | 'over'
/** A replica, or none for an abandoned attempt. */
type Owner = number | 'none'

type Replica =
  | { readonly at: 'idle' }
  /** Believes that it holds the lock. */
  | { readonly at: 'locked' }
  /** `isOld`: the stream has moved on since it was read. */
  | { readonly at: 'read'; readonly token: Token; readonly isOld: boolean }
  | {
      readonly at: 'intent_recorded' | 'sent' | 'in_doubt'
      readonly token: Token
      readonly isOld: boolean
      readonly age: Age
    }
  /** Received a pair of tokens that it has not stored. */
  | { readonly at: 'granted'; readonly pair: Token; readonly isOld: boolean; readonly age: Age }
  | { readonly at: 'refused'; readonly isOld: boolean; readonly age: Age }

interface Request {
  readonly owner: Owner
  readonly token: Token
}

interface ServerResponse {
  readonly owner: number
  readonly content: Token | 'refused' | 'nothing_readable'
}

export interface State {
  readonly server: { readonly isRevoked: boolean }
  readonly store: {
    readonly token: Token
    readonly isLost: boolean
    readonly intent: { readonly owner: Owner; readonly age: Age; readonly isResolved: boolean } | null
  }
  /** Holder of the lock in the database. */
  readonly lock: number | null
  readonly replicas: readonly Replica[]
  /** Requests sent to the server and not processed by it. */
  readonly requests: readonly Request[]
  readonly responses: readonly ServerResponse[]
}

/** Parts of the protocol that can be disabled to prove that the model detects it. */
export type Mistake =
  | 'no lock'
  | 'no intent'
  | 'no second read under the lock'
  | 'no fencing of the append'
  | 'fencing by the version only'
  | 'no tombstone'
  | 'no check of the permit'
  | 'an intent is taken over at once'
  | 'used before it is stored'
  | 'a lost response counts as a refusal'
  | 'an intent is never taken over'

/** Assumptions of the protocol. Each can be dropped to prove that it is required. */
export type Assumption =
  /** The server does not process an aborted request later, except within its own one-step window. */
  | 'an aborted request is not processed later'
  /** The server decides a request before its attempt counts as over. */
  | 'the server decides in time'

export interface Rules {
  readonly replicas: number
  readonly without?: Mistake
  readonly notAssuming?: Assumption
  /** Include new consents at any time, which multiplies the states. */
  readonly consents?: boolean
}

interface Step {
  readonly name: string
  readonly to: State
  /** A violation by this step itself, whatever state it leads to. */
  readonly violation?: string
  /** Steps by users, on which no good end may depend. */
  readonly isByPerson?: true
}

const idle: Replica = { at: 'idle' }

export const start = ({ replicas }: Rules): State => ({
  server: { isRevoked: false },
  store: { token: 'current', isLost: false, intent: null },
  lock: null,
  replicas: Array.from({ length: replicas }, () => idle),
  requests: [],
  responses: [],
})

/** All possible next steps. */
function* steps(state: State, rules: Rules): Generator<Step> {
  for (let i = 0; i < state.replicas.length; i++) yield* stepsOf(state, i, rules)
  yield* stepsOfServer(state, rules)
  yield* stepsOfTime(state, rules)
  if (!state.server.isRevoked)
    yield { name: 'a person ends the grant', to: { ...state, server: { isRevoked: true } }, isByPerson: true }
  if (rules.consents === true) yield { name: 'a person consents again', to: consented(state), isByPerson: true }
}

function consented(state: State): State {
  const replaced = rename(state, () => 'replaced')
  return {
    ...movedOn(replaced, { token: 'current', isLost: false }),
    server: { isRevoked: false },
    // No replica receives the responses to these requests, which change nothing.
    requests: replaced.requests.filter(({ owner }) => owner !== 'none'),
  }
}

function* stepsOf(state: State, i: number, { without }: Rules): Generator<Step> {
  const { store, lock, replicas } = state
  const replica = replicas[i] as Replica
  const go = (name: string, next: Replica, change: Partial<State> = {}, violation?: string): Step => {
    const changed = { ...state, ...change, replicas: replicas.with(i, next) }
    return {
      name: `replica ${i} ${name}`,
      // It releases the lock and abandons its intent.
      to: next.at === 'idle' ? left(changed, i) : changed,
      ...(violation === undefined ? {} : { violation }),
    }
  }
  const unlocked = { lock: lock === i ? null : lock }
  const isIntentOurs = store.intent?.owner === i
  const resolved = isIntentOurs
    ? { store: { ...store, intent: { ...store.intent, owner: 'none' as const, isResolved: true } } }
    : {}

  if (replica.at !== 'idle') {
    yield go('dies', idle, unlocked)
    // It need not notice, as it may be stopped or cut off from the database.
    if (lock === i) yield { name: `replica ${i} loses its session`, to: { ...state, lock: null } }
  }

  switch (replica.at) {
    case 'idle':
      if (store.isLost && without !== 'no tombstone') return
      if (without === 'no lock') yield go('begins', { at: 'locked' })
      else if (lock === null) yield go('takes the lock', { at: 'locked' }, { lock: i })
      // Reads first, then waits for the lock without a limit.
      if (without === 'no second read under the lock')
        yield go('reads', { at: 'read', token: store.token, isOld: false })
      return

    case 'locked':
      if (store.isLost && without !== 'no tombstone') yield go('finds the grant lost', idle, unlocked)
      else yield go('reads', { at: 'read', token: store.token, isOld: false })
      return

    case 'read': {
      if (lock !== i && without !== 'no lock') {
        if (without === 'no second read under the lock' && lock === null)
          yield go('takes the lock', replica, { lock: i })
        yield go('finds its lock gone', idle)
        return
      }
      const { intent } = store
      const isFree =
        intent === null ||
        intent.owner === i ||
        intent.isResolved ||
        (intent.age === 'over' && without !== 'an intent is never taken over') ||
        without === 'an intent is taken over at once'
      const isCurrent = !replica.isOld || without === 'no second read under the lock'
      const attempt = { ...replica, at: 'intent_recorded', age: 'permitted' } as const
      if (without === 'no intent') yield go('continues', attempt)
      else if (isCurrent && isFree && (!store.isLost || without === 'no tombstone')) {
        // Abandons requests of its earlier intent.
        yield {
          name: `replica ${i} writes its intent`,
          to: {
            ...left(state, i),
            store: { ...store, intent: { owner: i, age: 'permitted', isResolved: false } },
            replicas: replicas.with(i, attempt),
          },
        }
      } else yield go('finds the stream moved on, or an attempt in flight', idle, unlocked)
      return
    }

    case 'intent_recorded':
      if (replica.age === 'permitted' || without === 'no check of the permit') {
        const violation = state.requests.some(({ token }) => token !== 'replaced' && token === replica.token)
          ? 'the same refresh token is in flight twice'
          : store.isLost && replica.token !== 'replaced'
            ? 'a refresh token is presented after its final refusal was stored'
            : undefined
        const requests = [...state.requests, { owner: i, token: replica.token }]
        yield go('sends the refresh token', { ...replica, at: 'sent' }, { requests }, violation)
      } else yield go('is no longer permitted, and does not send the token', idle, { ...unlocked, ...resolved })
      return

    case 'sent': {
      const { token: _, ...attempt } = replica
      for (const response of state.responses.filter(({ owner }) => owner === i)) {
        const responses = state.responses.filter((other) => other !== response)
        switch (response.content) {
          case 'refused':
            yield go('reads a refusal', { ...attempt, at: 'refused' }, { responses })
            break
          case 'nothing_readable':
            yield go('reads no response', { ...replica, at: 'in_doubt' }, { responses })
            break
          default: {
            const violation = without === 'used before it is stored' ? 'a pair is used before it is stored' : undefined
            yield go(
              'reads a new pair',
              { ...attempt, at: 'granted', pair: response.content },
              { responses },
              violation,
            )
          }
        }
      }
      if (replica.age === 'over') yield go('gives up waiting', { ...replica, at: 'in_doubt' }, drop(state, i))
      return
    }

    case 'in_doubt':
      if (without === 'a lost response counts as a refusal') {
        yield go('takes it for a refusal', { at: 'refused', isOld: replica.isOld, age: replica.age })
        return
      }
      if (replica.age !== 'over') yield go('repeats', { at: 'read', token: replica.token, isOld: replica.isOld })
      yield go('leaves it to a later attempt', idle, { ...unlocked, ...resolved })
      return

    case 'granted': {
      const isAllowed =
        without === 'no fencing of the append' ||
        (!replica.isOld && (isIntentOurs || without === 'fencing by the version only' || without === 'no intent'))
      if (!isAllowed) {
        yield go('has its pair superseded', idle, unlocked)
        return
      }
      yield {
        name: `replica ${i} stores its pair`,
        to: movedOn(
          { ...state, ...unlocked, replicas: replicas.with(i, idle) },
          { token: replica.pair, isLost: false },
        ),
      }
      return
    }

    case 'refused':
      if (!replica.isOld && (isIntentOurs || without === 'no intent')) {
        yield {
          name: `replica ${i} stores the refusal`,
          to: movedOn(
            { ...state, ...unlocked, replicas: replicas.with(i, idle) },
            { token: store.token, isLost: true },
          ),
        }
      } else yield go('has its refusal superseded', idle, unlocked)
  }
}

/** The stream moves on by one version, which makes earlier reads old. */
const movedOn = (state: State, store: { token: Token; isLost: boolean }): State => ({
  ...state,
  store: { ...store, intent: null },
  replicas: state.replicas.map((replica) => ('isOld' in replica ? { ...replica, isOld: true } : replica)),
})

/** Abandons the requests of replica `i`. */
const left = (state: State, i: number): State => ({
  ...state,
  ...drop(state, i),
  requests: state.requests
    .filter(({ owner, token }) => owner !== i || token !== 'replaced')
    .map((request) => (request.owner === i ? { ...request, owner: 'none' } : request)),
  store:
    state.store.intent?.owner === i
      ? { ...state.store, intent: { ...state.store.intent, owner: 'none' } }
      : state.store,
})

const drop = (state: State, i: number) => ({ responses: state.responses.filter(({ owner }) => owner !== i) })

function* stepsOfServer(state: State, { notAssuming }: Rules): Generator<Step> {
  for (const request of state.requests) {
    const requests = state.requests.filter((other) => other !== request)
    const withResponse = (content: ServerResponse['content']) =>
      request.owner === 'none' ? state.responses : [...state.responses, { owner: request.owner, content }]
    const who = `the server, for ${request.owner === 'none' ? 'a dead replica' : `replica ${request.owner}`},`

    // A stopped replica may receive a response at any later time; a lost response never arrives.
    const broken = { ...state, requests, responses: withResponse('nothing_readable') }
    yield { name: `${who} receives nothing`, to: broken }
    if (notAssuming === 'an aborted request is not processed later' && request.owner !== 'none') {
      const late = { ...request, owner: 'none' as const }
      yield { name: `${who} loses the connection and continues`, to: { ...broken, requests: [...requests, late] } }
    }
    if (state.server.isRevoked || request.token === 'replaced') {
      yield { name: `${who} refuses`, to: { ...state, requests, responses: withResponse('refused') } }
      continue
    }
    if (request.token === 'retired') {
      yield { name: `${who} ends the grant`, to: state, violation: 'a retired refresh token is presented' }
      continue
    }
    const presented = request.token
    const now = (token: Token): Token => (token === 'replaced' ? token : token === presented ? 'previous' : 'retired')
    for (const content of ['current', 'nothing_readable', 'nothing'] as const) {
      const renamed = rename({ ...state, requests }, now)
      const responses =
        content === 'nothing' || request.owner === 'none'
          ? renamed.responses
          : [...renamed.responses, { owner: request.owner, content }]
      const how = { current: 'responds', nothing_readable: 'responds with garbage', nothing: 'has its response lost' }[
        content
      ]
      yield { name: `${who} rotates and ${how}`, to: { ...renamed, responses } }
    }
  }
}

/** Updates the status of all refresh tokens. */
function rename(state: State, now: (token: Token) => Token): State {
  return {
    ...state,
    store: { ...state.store, token: now(state.store.token) },
    replicas: state.replicas.map((replica) => ({
      ...replica,
      ...('token' in replica && { token: now(replica.token) }),
      ...('pair' in replica && { pair: now(replica.pair) }),
    })),
    requests: state.requests.map((request) => ({ ...request, token: now(request.token) })),
    responses: state.responses.map((response) =>
      response.content === 'refused' || response.content === 'nothing_readable'
        ? response
        : { ...response, content: now(response.content) },
    ),
  }
}

const NEXT_AGE = { permitted: 'in_flight', in_flight: 'over' } as const

function* stepsOfTime(state: State, { notAssuming }: Rules): Generator<Step> {
  const { store, replicas, requests } = state
  const older = (owner: Owner, age: Age): Age | undefined => {
    if (age === 'over') return undefined
    const isWithServer = requests.some((request) => request.owner === owner)
    return age === 'in_flight' && isWithServer && notAssuming !== 'the server decides in time'
      ? undefined
      : NEXT_AGE[age]
  }
  for (const [i, replica] of replicas.entries()) {
    if (!('age' in replica)) continue
    const age = older(i, replica.age)
    if (age === undefined) continue
    // The intent is at least as old as its replica assumes, which read its clock before the write.
    const intent = store.intent?.owner === i ? { ...store.intent, age } : store.intent
    yield {
      name: `the attempt of replica ${i} is ${age}`,
      to: { ...state, store: { ...store, intent }, replicas: replicas.with(i, { ...replica, age }) },
    }
  }
  if (store.intent?.owner === 'none' && !store.intent.isResolved) {
    const age = older('none', store.intent.age)
    if (age !== undefined) {
      const intent = { ...store.intent, age }
      yield { name: `the attempt that was left is ${age}`, to: { ...state, store: { ...store, intent } } }
    }
  }
}

/** Invariants of all states. */
function violationIn({ server, store }: State): string | undefined {
  if (server.isRevoked) return undefined
  if (store.isLost) return 'the connection is given up although the grant is active'
  if (store.token === 'retired') return 'the stored refresh token is retired'
  return undefined
}

/** A good end, which must be reachable from every state: the newest pair is stored and nothing is in doubt, or a user has ended the grant. */
const isResolved = ({ server, store, replicas, requests }: State): boolean =>
  replicas.every(({ at }) => at === 'idle') &&
  requests.length === 0 &&
  (server.isRevoked ? store.isLost : store.token === 'current' && store.intent === null)

/** The same key for states that only differ by a permutation of the replicas. */
function nameOf({ server, store, lock, replicas, requests, responses }: State): string {
  const { intent } = store
  const ofReplicas = replicas
    .map((replica, i) => {
      let name = `${replica.at} ${lock === i} ${intent?.owner === i}`
      if ('isOld' in replica) name += ` ${replica.isOld}`
      if ('token' in replica) name += ` ${replica.token}`
      if ('pair' in replica) name += ` ${replica.pair}`
      if ('age' in replica) name += ` ${replica.age}`
      for (const { owner, token } of requests) if (owner === i) name += ` >${token}`
      for (const { owner, content } of responses) if (owner === i) name += ` <${content}`
      return name
    })
    .toSorted()
  let name = `${server.isRevoked} ${store.token} ${store.isLost}`
  if (intent) name += ` ${typeof intent.owner} ${intent.age} ${intent.isResolved}`
  const ofNone = requests.flatMap(({ owner, token }) => (owner === 'none' ? [token] : [])).toSorted()
  return `${name}|${ofReplicas.join('|')}|${ofNone.join(' ')}`
}

export interface Exploration {
  readonly states: number
  readonly steps: number
  /** The violation and the shortest path to it. */
  readonly violation?: { readonly what: string; readonly path: readonly string[] }
}

/** Explores all reachable states breadth-first until it finds a violation. */
export function explore(rules: Rules): Exploration {
  const first = start(rules)
  const found = new Map<string, { id: number; from: string | undefined; by: string }>()
  found.set(nameOf(first), { id: 0, from: undefined, by: 'start' })
  const isEnd: boolean[] = [isResolved(first)]
  const cameFrom: number[][] = [[]]
  let queue: [string, State][] = [[nameOf(first), first]]
  let count = 0

  const pathTo = (name: string): string[] => {
    const path: string[] = []
    for (let at: string | undefined = name; at !== undefined;) {
      const { from, by } = found.get(at) as { from: string | undefined; by: string }
      path.unshift(by)
      at = from
    }
    return path.slice(1)
  }

  while (queue.length > 0) {
    const following: [string, State][] = []
    for (const [name, state] of queue) {
      const { id } = found.get(name) as { id: number }
      for (const step of steps(state, rules)) {
        count += 1
        const what = step.violation ?? violationIn(step.to)
        if (what !== undefined)
          return { states: found.size, steps: count, violation: { what, path: [...pathTo(name), step.name] } }
        const next = nameOf(step.to)
        let known = found.get(next)
        if (!known) {
          known = { id: found.size, from: name, by: step.name }
          found.set(next, known)
          isEnd.push(isResolved(step.to))
          cameFrom.push([])
          following.push([next, step.to])
        }
        if (step.isByPerson !== true) cameFrom[known.id]?.push(id)
      }
    }
    queue = following
  }

  const leadsToEnd = [...isEnd]
  const open = isEnd.flatMap((end, id) => (end ? [id] : []))
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const before of cameFrom[id] ?? []) {
      if (leadsToEnd[before] === true) continue
      leadsToEnd[before] = true
      open.push(before)
    }
  }
  const stuck = [...found].find(([, { id }]) => leadsToEnd[id] !== true)
  return {
    states: found.size,
    steps: count,
    ...(stuck && { violation: { what: 'no good end is reachable', path: pathTo(stuck[0]) } }),
  }
}
