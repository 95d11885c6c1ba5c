/** BroadcastChannel that notifies windows of this app of connection changes. */
const CHANNEL = 'notion-connection'

export function announceConnectionChange(): void {
  const channel = new BroadcastChannel(CHANNEL)
  channel.postMessage('changed')
  channel.close()
}

/** Returns a function that unsubscribes. */
export function onConnectionChanged(listener: () => void): () => void {
  const channel = new BroadcastChannel(CHANNEL)
  channel.addEventListener('message', listener)
  return () => channel.close()
}
