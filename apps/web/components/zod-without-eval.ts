import { z } from 'zod'

// zod would try whether it may compile its schemas to code, which the Content-Security-Policy forbids and reports.
z.config({ jitless: true })
