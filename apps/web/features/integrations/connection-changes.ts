/** Windows of this app tell each other that the connection may have changed. */
const CHANNEL = 'notion-connection'

export function announceConnectionChange(): void {
  const channel = new BroadcastChannel(CHANNEL)
  channel.postMessage('changed')
  channel.close()
}

/** Answers with what ends the subscription. */
export function onConnectionChanged(listener: () => void): () => void {
  const channel = new BroadcastChannel(CHANNEL)
  channel.addEventListener('message', listener)
  return () => channel.close()
}
