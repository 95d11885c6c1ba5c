import { describe, expect, it } from 'vitest'
import { closeLiveAnswers, liveAnswers, type LiveAnswer, type LiveAnswers } from './live-answers.ts'

function begin(answers: LiveAnswers, id: string) {
  const end = Promise.withResolvers<'complete' | 'interrupted'>()
  const finished = end.promise.then(() => void answers.byConversation.delete(id))
  const answer: LiveAnswer = {
    id,
    finished,
    async interrupt() {
      end.resolve('interrupted')
      await finished
    },
  }
  answers.byConversation.set(id, answer)
  return { complete: () => end.resolve('complete'), how: end.promise }
}

describe('a process that ends', () => {
  it('waits for its answers, and no longer than they take', async () => {
    const answers = liveAnswers()
    const [first, second] = [begin(answers, 'a'), begin(answers, 'b')]
    const closing = closeLiveAnswers(answers, 60_000)
    expect(answers.isClosing).toBe(true)
    first.complete()
    second.complete()
    await closing
    expect(await Promise.all([first.how, second.how])).toEqual(['complete', 'complete'])
  })

  it('interrupts what is not finished within the grace', async () => {
    const answers = liveAnswers()
    const [quick, slow] = [begin(answers, 'a'), begin(answers, 'b')]
    quick.complete()
    await closeLiveAnswers(answers, 10)
    expect(await Promise.all([quick.how, slow.how])).toEqual(['complete', 'interrupted'])
    expect(answers.byConversation.size).toBe(0)
  })

  it('without answers ends at once', async () => {
    await closeLiveAnswers(liveAnswers(), 60_000)
  })
})
