import { config } from 'zod/mini'

// zod would try whether it may compile its schemas to code, which the Content-Security-Policy forbids and reports.
config({ jitless: true })
