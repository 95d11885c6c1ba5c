import type { Mutation } from './mutation.ts'

const WEB = 'apps/web'

const changeParts = { file: `${WEB}/components/pending-change/change-parts.test.ts` }
const decision = { file: `${WEB}/features/chat/record-decision.test.ts` }
const parts = { file: `${WEB}/test/clients/parts.test.ts` }

/** The tests of these need no built web app. */
export const webMutations: readonly Mutation[] = [
  {
    law: 'L6',
    fault: 'a request on the consent page may be changed after it was signed',
    file: `${WEB}/authorization-server/consent-request.ts`,
    text: 'if (!isSigned || Number(',
    replacement: 'if (isSigned === undefined || Number(',
    test: parts,
  },
  {
    law: 'L6',
    fault: 'a page after signing in may be on another host',
    file: `${WEB}/lib/return-path.ts`,
    text: "if (origin !== ANYWHERE || pathname.startsWith('//')) return '/'",
    replacement: "if (origin !== ANYWHERE) return '/'",
    test: { file: `${WEB}/test/return-path.test.ts` },
  },
  {
    law: 'L7',
    fault: 'a stream that arrives in pieces is read differently',
    file: `${WEB}/features/chat/tool-definitions.ts`,
    text: "rest = lines.pop() ?? ''",
    replacement: "rest = ''",
    test: { file: `${WEB}/features/chat/tool-definitions.test.ts` },
  },
  {
    law: 'L9',
    fault: 'an app that cannot be reached is reported as an error of the app',
    file: `${WEB}/lib/api-client.ts`,
    text: 'throw new ApiError(UNREACHABLE,',
    replacement: "throw new ApiError('internal',",
    test: { file: `${WEB}/lib/api-client.test.ts` },
  },
  {
    law: 'L10',
    fault: 'the choice of usable tools knows a tool of Notion',
    file: `${WEB}/features/chat/tool-definitions.ts`,
    text: "typeof name === 'string' &&\n    NAME.test(name) &&",
    replacement: "typeof name === 'string' &&\n    (NAME.test(name) || name === 'notion-update-page') &&",
    test: { file: 'test/provider-facts.test.ts' },
  },
  {
    law: 'L12',
    fault: 'web pages leave the API',
    file: `${WEB}/lib/media-types.ts`,
    text: 'isJson(contentType) || isEventStream(contentType)',
    replacement: "isJson(contentType) || (contentType ?? '').startsWith('text/')",
    test: { file: `${WEB}/test/http-rules.test.ts` },
  },
  {
    law: 'L12',
    fault: 'a tool that no model can be offered is offered',
    file: `${WEB}/features/chat/tool-definitions.ts`,
    text: "(inputSchema['type'] === undefined || inputSchema['type'] === 'object') &&\n    isSchema(inputSchema, 0)",
    replacement: "(inputSchema['type'] === undefined || inputSchema['type'] === 'object')",
    test: { file: `${WEB}/features/chat/tool-definitions.test.ts` },
  },
  {
    law: 'L14',
    fault: 'a decision about one change approves all changes of its step',
    file: `${WEB}/features/chat/record-decision.ts`,
    text: 'if (!isMeant && part.toolName !== alwaysAllowed) return part',
    replacement: 'if (!isMeant && part.toolName === alwaysAllowed) return part',
    test: decision,
  },
  {
    law: 'L14',
    fault: 'a decision may bring other arguments',
    file: `${WEB}/features/chat/record-decision.ts`,
    text: "        state: 'approval-responded',",
    replacement: "        ...(arguments[1] as object),\n        state: 'approval-responded',",
    test: decision,
  },
  {
    law: 'L14',
    fault: 'values that are no text are not shown',
    file: `${WEB}/components/pending-change/change-parts.ts`,
    text: "if (typeof value !== 'string') return [part(String(value), path, label, false)]",
    replacement: "if (typeof value !== 'string') return []",
    test: changeParts,
  },
  {
    law: 'L14',
    fault: 'white space around a text is not shown',
    file: `${WEB}/components/pending-change/change-parts.ts`,
    text: '{ ...part(value, path, label, true),',
    replacement: '{ ...part(value.trim(), path, label, true),',
    test: changeParts,
  },
  {
    law: 'L14',
    fault: 'hidden characters of a long text are not counted',
    file: `${WEB}/components/pending-change/change-parts.ts`,
    text: 'Array.from(text.slice(cutAt)).length',
    replacement: 'Array.from(text.slice(cutAt)).length * 0',
    test: changeParts,
  },
  {
    law: 'L14',
    fault: 'names of arguments are not shown',
    file: `${WEB}/components/pending-change/change-parts.ts`,
    text: '`${label} › ${labelOf(name)}`',
    replacement: 'label',
    test: changeParts,
  },
  {
    law: 'L14',
    fault: 'bidirectional and zero-width characters are invisible',
    file: `${WEB}/components/pending-change/visible-text.ts`,
    text: '/[\\p{Cf}\\p{Zl}\\p{Zp}\\p{Co}\\p{Cn}\\p{Cs}\\p{Default_Ignorable_Code_Point}',
    replacement: '/[\\p{Zl}\\p{Zp}\\p{Co}\\p{Cn}\\p{Cs}',
    test: changeParts,
  },
  {
    law: 'L14',
    fault: 'format characters that no font draws are invisible',
    file: `${WEB}/components/pending-change/visible-text.ts`,
    text: '/[\\p{Cf}\\p{Zl}',
    replacement: '/[\\p{Zl}',
    test: changeParts,
  },
]
