import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server'

/** Stores the events of one session, to resume streams with `Last-Event-ID`. */
export function eventStore(): EventStore {
  const events: { id: string; streamId: string; message: JSONRPCMessage }[] = []
  return {
    async storeEvent(streamId, message) {
      const id = `${streamId}_${events.length}`
      events.push({ id, streamId, message })
      return id
    },
    async getStreamIdForEventId(eventId) {
      return events.find(({ id }) => id === eventId)?.streamId
    },
    async replayEventsAfter(lastEventId, { send }) {
      const index = events.findIndex(({ id }) => id === lastEventId)
      const streamId = events[index]?.streamId ?? ''
      for (const event of events.slice(index + 1)) {
        // Priming events are stored without a message.
        if (event.streamId === streamId && Object.keys(event.message).length > 0) await send(event.id, event.message)
      }
      return streamId
    },
  }
}
