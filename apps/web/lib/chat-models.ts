/** A model that users can choose in the chat. */
export interface ChatModel {
  /** As the operator wrote it; what requests and conversations name it by. */
  readonly id: string
  /** As the provider knows it. */
  readonly name: string
  readonly provider: ChatProvider
  readonly apiKey?: string
  /** Of a `compatible` model. */
  readonly baseUrl?: string
}

export type ChatProvider = 'openai' | 'anthropic' | 'google' | 'compatible' | 'scripted'

/** What {@link chatModels} needs to know of the settings. */
export interface ModelSettings {
  readonly CHAT_MODEL?: string[] | undefined
  readonly CHAT_BASE_URL?: string | undefined
  readonly CHAT_API_KEY?: string | undefined
  readonly OPENAI_API_KEY?: string | undefined
  readonly ANTHROPIC_API_KEY?: string | undefined
  readonly GOOGLE_GENERATIVE_AI_API_KEY?: string | undefined
}

/** The setting that each provider's own key comes from, when CHAT_API_KEY is not meant for it. */
const ownKeys = {
  openai: 'OPENAI_API_KEY',
  anthropic: 'ANTHROPIC_API_KEY',
  google: 'GOOGLE_GENERATIVE_AI_API_KEY',
} as const satisfies Partial<Record<ChatProvider, keyof ModelSettings>>
type HostedProvider = keyof typeof ownKeys

/** The id of the demo's model, which follows a script and sends no requests. */
export const SCRIPTED_MODEL = 'scripted'

/** The models that the settings offer, the default first. A demo without any has the scripted one. */
export function chatModels(settings: ModelSettings, isDemo: boolean): ChatModel[] {
  const { CHAT_MODEL: ids, CHAT_BASE_URL: baseUrl, CHAT_API_KEY: apiKey } = settings
  if (!ids) return isDemo ? [{ id: SCRIPTED_MODEL, name: SCRIPTED_MODEL, provider: 'scripted' }] : []
  return [...new Set(ids)].flatMap((id): ChatModel[] => {
    if (baseUrl) return [{ id, name: id, provider: 'compatible', baseUrl, ...(apiKey === undefined ? {} : { apiKey }) }]
    const hosted = hostedModel(id)
    const key = hosted && keyOf(hosted.provider, settings)
    return hosted && key ? [{ id, ...hosted, apiKey: key }] : []
  })
}

/** Faults of the configured models, each continuing a sentence that begins with CHAT_MODEL. */
export function modelMistakes(settings: ModelSettings): string[] {
  if (settings.CHAT_BASE_URL) return []
  return (settings.CHAT_MODEL ?? []).flatMap((id) => {
    const hosted = hostedModel(id)
    if (!hosted) {
      return [
        'each model must begin with openai/, anthropic/ or google/, or CHAT_BASE_URL must say where to ask for it',
      ]
    }
    return keyOf(hosted.provider, settings)
      ? []
      : [`a model of ${hosted.provider} needs a key: set CHAT_API_KEY or ${ownKeys[hosted.provider]}`]
  })
}

const keyOf = (provider: HostedProvider, settings: ModelSettings): string | undefined =>
  settings[ownKeys[provider]] ?? settings.CHAT_API_KEY

function hostedModel(id: string): { provider: HostedProvider; name: string } | undefined {
  const [, prefix = '', name = ''] = /^([a-z]+)\/(.+)$/.exec(id) ?? []
  const provider = (Object.keys(ownKeys) as HostedProvider[]).find((known) => known === prefix)
  return provider && { provider, name }
}
