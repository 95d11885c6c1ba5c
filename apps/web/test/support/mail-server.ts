import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'

export interface ReceivedMail {
  readonly from: string
  readonly to: readonly string[]
  /** Headers and text, as they came. */
  readonly content: string
}

export interface MailServer {
  readonly url: string
  readonly mails: ReceivedMail[]
  /** From now on it takes no mail. */
  refuse(): void
  close(): Promise<void>
}

/** Takes mail over SMTP (RFC 5321), as far as a client needs that hands in plain texts. Commands out of order are refused. */
export async function startMailServer(): Promise<MailServer> {
  const mails: ReceivedMail[] = []
  const sockets = new Set<Socket>()
  let isRefusing = false
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    converse(
      socket,
      (mail) => mails.push(mail),
      () => isRefusing,
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mails,
    refuse: () => void (isRefusing = true),
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function converse(socket: Socket, onMail: (mail: ReceivedMail) => void, isRefusing: () => boolean): void {
  let from: string | undefined
  let to: string[] = []
  let content: string[] | undefined
  let rest = ''
  const say = (line: string) => socket.write(`${line}\r\n`)

  const take = (line: string) => {
    if (content) {
      if (line !== '.') return void content.push(line.startsWith('..') ? line.slice(1) : line)
      onMail({ from: from ?? '', to, content: content.join('\n') })
      content = undefined
      from = undefined
      to = []
      return say('250 taken')
    }
    if (/^(EHLO|HELO) /i.test(line)) return say('250 test')
    const sender = /^MAIL FROM:<([^>]*)>/i.exec(line)?.[1]
    if (sender !== undefined) {
      if (isRefusing()) return say('451 not now')
      from = sender
      return say('250 ok')
    }
    const recipient = /^RCPT TO:<([^>]+)>/i.exec(line)?.[1]
    if (recipient !== undefined && from !== undefined) {
      to.push(recipient)
      return say('250 ok')
    }
    if (/^DATA$/i.test(line) && to.length > 0) {
      content = []
      return say('354 go on')
    }
    if (/^QUIT$/i.test(line)) return socket.end('221 bye\r\n')
    if (/^RSET$/i.test(line)) return say('250 ok')
    return say('503 not now')
  }

  say('220 test')
  socket.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\r\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  })
}
