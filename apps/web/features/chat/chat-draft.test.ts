import { describe, expect, it } from 'vitest'
import { delivered, messageFor, parseDraft, sending, typed, undelivered, type ChatDraft } from './chat-draft.ts'

const ids = { id: 'message-1', conversationId: 'conversation-1' }
const sent = { ...ids, text: 'Hello' }

describe('a draft', () => {
  it.each([undefined, null, 5, 'text', [], {}, { text: 5 }])('is not read from %j', (stored) => {
    expect(parseDraft(stored)).toBeUndefined()
  })

  it('is read as it was saved, without a message that is not whole', () => {
    const draft: ChatDraft = { text: 'next', sent }
    expect(parseDraft(JSON.parse(JSON.stringify(draft)))).toEqual(draft)
    expect(parseDraft({ text: 'next', sent: { id: 1 } })).toEqual({ text: 'next' })
  })

  it('is gone when its text is', () => {
    expect(typed({ text: 'a' }, '', false)).toBeUndefined()
    expect(typed({ text: 'Hello', sent }, '', false)).toBeUndefined()
    expect(typed({ text: '', sent }, '', true)).toEqual({ text: '', sent })
  })
})

describe('a message', () => {
  it('that did not arrive is back in the field, before what was typed since, and keeps its ids', () => {
    expect(undelivered(sending(sent))).toEqual({ text: 'Hello', sent })
    const since = typed(sending(sent), 'and more', true)
    expect(undelivered(since)).toEqual({ text: 'Hello\n\nand more', sent })
    // Twice, as two tabs would.
    expect(undelivered(undelivered(since))).toEqual({ text: 'Hello\n\nand more', sent })
    expect(messageFor(undelivered(sending(sent)), 'Hello', { ...ids, id: 'message-2' })).toEqual(sent)
  })

  it('with another text, or in another conversation, is another message', () => {
    const other = { ...ids, id: 'message-2' }
    expect(messageFor({ text: 'Hello', sent }, 'Hello!', other).id).toBe('message-2')
    expect(messageFor({ text: 'Hello', sent }, 'Hello', { ...other, conversationId: 'conversation-2' }).id).toBe(
      'message-2',
    )
    expect(messageFor(undefined, 'Hello', other).id).toBe('message-2')
  })

  it('that arrived leaves what was typed since', () => {
    expect(delivered(sending(sent), sent.id)).toBeUndefined()
    expect(delivered(typed(sending(sent), 'next', true), sent.id)).toEqual({ text: 'next' })
    // Also where another tab had put it back.
    expect(delivered(undelivered(sending(sent)), sent.id)).toBeUndefined()
    expect(delivered({ text: 'Hello\n\nnext', sent }, sent.id)).toEqual({ text: 'next' })
  })

  it('that arrived says nothing about another', () => {
    expect(delivered({ text: 'Hello', sent }, 'message-9')).toEqual({ text: 'Hello', sent })
  })
})
