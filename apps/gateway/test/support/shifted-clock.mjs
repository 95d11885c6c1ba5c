// Preloaded into a gateway process to shift its clock by the number of milliseconds in the file SHIFTED_CLOCK_FILE.
import { readFileSync } from 'node:fs'

const file = process.env.SHIFTED_CLOCK_FILE
const READ_EVERY_MS = 20
let shiftMs = 0
let readAtMs = -Infinity

const now = () => {
  if (performance.now() - readAtMs > READ_EVERY_MS) {
    readAtMs = performance.now()
    shiftMs = Number(readFileSync(file, 'utf8'))
  }
  return RealDate.now() + shiftMs
}

const RealDate = Date
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  apply: () => new Date().toString(),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
})
