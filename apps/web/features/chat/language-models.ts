import 'server-only'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogle } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import type { ChatModel, ChatProvider } from '@/lib/chat-models.ts'
import { scriptedModel, type LanguageModelV4 } from './scripted-model.ts'

/** Factory of each provider's models. A missing provider does not compile. */
const providers: Record<ChatProvider, (model: ChatModel) => LanguageModelV4> = {
  openai: ({ name, apiKey = '' }) => createOpenAI({ apiKey })(name),
  anthropic: ({ name, apiKey = '' }) => createAnthropic({ apiKey })(name),
  google: ({ name, apiKey = '' }) => createGoogle({ apiKey })(name),
  compatible: ({ name, baseUrl = '', apiKey }) =>
    createOpenAICompatible({
      name: 'compatible',
      baseURL: baseUrl,
      includeUsage: true,
      ...(apiKey === undefined ? {} : { apiKey }),
    })(name),
  scripted: () => scriptedModel(),
}

export const languageModel = (model: ChatModel): LanguageModelV4 => providers[model.provider](model)
