import { describe, expect, it } from 'vitest'
import { closeActiveStreams, activeStreams, type ActiveStream, type ActiveStreams } from './active-streams.ts'

function begin(streams: ActiveStreams, id: string) {
  const end = Promise.withResolvers<'complete' | 'interrupted'>()
  const finished = end.promise.then(() => void streams.byConversation.delete(id))
  const stream: ActiveStream = {
    id,
    finished,
    async interrupt() {
      end.resolve('interrupted')
      await finished
    },
  }
  streams.byConversation.set(id, stream)
  return { complete: () => end.resolve('complete'), how: end.promise }
}

describe('a process that ends', () => {
  it('waits for its answers, and no longer than they take', async () => {
    const streams = activeStreams()
    const [first, second] = [begin(streams, 'a'), begin(streams, 'b')]
    const closing = closeActiveStreams(streams, 60_000)
    expect(streams.isClosing).toBe(true)
    first.complete()
    second.complete()
    await closing
    expect(await Promise.all([first.how, second.how])).toEqual(['complete', 'complete'])
  })

  it('interrupts what is not finished within the grace', async () => {
    const streams = activeStreams()
    const [quick, slow] = [begin(streams, 'a'), begin(streams, 'b')]
    quick.complete()
    await closeActiveStreams(streams, 10)
    expect(await Promise.all([quick.how, slow.how])).toEqual(['complete', 'interrupted'])
    expect(streams.byConversation.size).toBe(0)
  })

  it('without answers ends at once', async () => {
    await closeActiveStreams(activeStreams(), 60_000)
  })
})
