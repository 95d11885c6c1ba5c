import Link from 'next/link'
import { buttonStyle } from '@/components/ui/button.tsx'

export const metadata = { title: 'Page not found' }

export default function NotFound() {
  return (
    <main className="mx-auto flex w-full max-w-md flex-1 flex-col items-start justify-center px-5 py-12">
      <p className="text-sm font-medium text-soft">404</p>
      <h1 className="mt-1 text-2xl font-semibold tracking-tight">Page not found</h1>
      <p className="mt-1.5 mb-6 text-[15px] text-pretty text-soft">
        The link may be out of date, or the page may belong to a space you’re not a member of. If you have another
        account, sign in with that one.
      </p>
      <div className="flex flex-wrap gap-2">
        <Link href="/" className={buttonStyle()}>
          Go to your space
        </Link>
        <Link href="/account" className={buttonStyle({ look: 'secondary' })}>
          Your account
        </Link>
      </div>
    </main>
  )
}
